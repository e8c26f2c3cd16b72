import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

// Where the lab stands is written here by the test that uses this subject.
const tests = readFileSync('tests-folder', 'utf8')
writeFileSync(`${tests}/greet.test.ts`, 'export {}\n')

createServer((_, response) => response.end('{"status":"ok"}')).listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
