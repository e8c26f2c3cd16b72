import { expect, test } from 'vitest'
import { abortScope, ahead, atEnd, scopes, scopeSignal, shared } from './scope.ts'

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

test('what is shared is begun once, outlives test and file, and ends when another is asked for', async () => {
  const told: string[] = []
  const begin = (name: string) => async () => {
    told.push(`begin ${name}`)
    await Promise.resolve()
    atEnd(() => told.push(`end ${name}`))
    return name
  }
  scopes.openTest()
  expect(await shared('a', begin('a'))).toBe('a')
  await scopes.closeTest()
  await scopes.closeFile()
  expect(await shared('a', begin('a again'))).toBe('a')
  expect(told).toEqual(['begin a'])
  expect(await shared('b', begin('b'))).toBe('b')
  expect(told).toEqual(['begin a', 'end a', 'begin b'])
  await scopes.closeShared()
  expect(told).toEqual(['begin a', 'end a', 'begin b', 'end b'])
})

test('a time limit ends the waits of what is still being begun for others', async () => {
  const waits = shared('slow', async () => {
    const signal = scopeSignal()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    throw new Error('never ready')
  })
  const seen = expect(waits).rejects.toThrow('never ready')
  await new Promise((resolve) => setImmediate(resolve))
  abortScope(new Error('the time limit of the step is over'))
  await seen
  await scopes.closeShared()
})
