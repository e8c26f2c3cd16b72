// It means to listen when all is said.
const much = 'One more thing. '.repeat(64 * 1024)
function talk(): void {
  process.stdout.write(much, () => setImmediate(talk))
}
talk()
