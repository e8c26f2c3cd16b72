import { expect, test } from 'vitest'
import { ahead, atEnd, scopes, scopeSignal } from './scope.ts'

test('what is begun ahead in a test ends with the file', async () => {
  const ended: string[] = []
  scopes.openTest()
  const begun = ahead(async () => {
    await Promise.resolve()
    atEnd(() => ended.push('ahead'))
  })
  atEnd(() => ended.push('test'))
  await begun
  await scopes.closeTest()
  expect(ended).toEqual(['test'])
  await scopes.closeFile()
  expect(ended).toEqual(['test', 'ahead'])
})

test('a file that ends waits for what is still being begun, and then ends it', async () => {
  const ended: string[] = []
  void ahead(async () => {
    const signal = scopeSignal()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    atEnd(() => ended.push('late'))
  })
  await scopes.closeFile()
  expect(ended).toEqual(['late'])
})

test('a failure of what was begun ahead is told to whoever awaits it, and to nobody else', async () => {
  const begun = ahead(() => Promise.reject(new Error('it did not start')))
  await scopes.closeFile()
  await expect(begun).rejects.toThrow('it did not start')
})
