const settings: { bridge?: { name: string } } = {}

// The wrong kind of confidence: there is no bridge.
console.log(settings.bridge!.name)
