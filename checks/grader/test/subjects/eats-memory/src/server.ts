const eaten: Buffer[] = []

function eat(): void {
  eaten.push(Buffer.alloc(64 * 1024 * 1024, 1))
  setImmediate(eat)
}
eat()
