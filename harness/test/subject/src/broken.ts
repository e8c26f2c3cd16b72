console.log('about to break')
throw new TypeError('the bridge is out')
