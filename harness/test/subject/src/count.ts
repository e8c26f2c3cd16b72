// A command role: counts to its argument and ends with the status it is told.
const [to = '3', status = '0'] = process.argv.slice(2)
for (let i = 1; i <= Number(to); i++) console.log(`line ${i}`)
process.exitCode = Number(status)
