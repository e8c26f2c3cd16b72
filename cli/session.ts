import { Grader } from '#grader/grader'
import type { Lab } from '#grader/labs'
import { chooseRuntime } from '#harness/runtime/choose'
import type { Runtime } from '#harness/runtime/runtime'
import type { Language } from '#harness/text'
import { beforeEnd } from './life.ts'

/** Chooses the runtime, telling what is being fetched where that takes a while. */
export function findRuntime(lang: Language, tell: { now(text: string): void }): Promise<Runtime> {
  return chooseRuntime((text) => tell.now(text[lang]))
}

/** A grader that ends with the command, and what ends it sooner. */
export async function openGrader(
  lab: Lab,
  runtime: Runtime,
): Promise<{ grader: Grader; close: () => Promise<void> }> {
  let opened: Grader | undefined
  let abandoned = false
  // A signal while the servers come up: the runtime knows those that run already.
  const withdraw = beforeEnd(() => {
    abandoned = true
    return opened ? opened.close() : runtime.close()
  })
  const grader = await Grader.open(lab, runtime)
  opened = grader
  if (abandoned) await grader.close()
  return {
    grader,
    close: async () => {
      withdraw()
      await grader.close()
    },
  }
}
