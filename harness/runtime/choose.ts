import { existsSync } from 'node:fs'
import { get } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { say, type Text } from '../text.ts'
import { Unavailable } from '../unavailable.ts'
import type { Runtime } from './runtime.ts'

/** A daemon that takes longer than this is treated as one that hangs. */
const PING_MS = 1500

/**
 * The runtime that `LAB_RUNTIME` names, else docker where a daemon answers, else native.
 * @param onProgress told what is being fetched, where that takes a while
 */
export async function chooseRuntime(onProgress?: (text: Text) => void): Promise<Runtime> {
  const wanted = process.env.LAB_RUNTIME
  if (wanted && wanted !== 'docker' && wanted !== 'native') {
    throw new Unavailable({
      what: say(`LAB_RUNTIME is "${wanted}".`, `LAB_RUNTIMEが「${wanted}」です。`),
      why: say('There are two runtimes: docker and native.', 'ランタイムはdockerとnativeの二つです。'),
      remedy: say('Run: unset LAB_RUNTIME', '次を実行してください：unset LAB_RUNTIME'),
    })
  }
  if (wanted === 'native') return native(say('LAB_RUNTIME=native', 'LAB_RUNTIME=native'), onProgress)
  const docker = await dockerAnswers()
  if (docker.yes) {
    const { dockerRuntime } = await import('./docker.ts')
    return dockerRuntime(wanted ? say('LAB_RUNTIME=docker', 'LAB_RUNTIME=docker') : docker.why)
  }
  if (wanted === 'docker') {
    throw new Unavailable({
      what: say(
        'LAB_RUNTIME is docker, but no Docker daemon answers.',
        'LAB_RUNTIMEはdockerですが、Dockerが応答しません。',
      ),
      why: docker.why,
      remedy: say(
        'Start Docker, or run on local servers: LAB_RUNTIME=native npm run lab',
        'Dockerを起動するか、ローカルのサーバーで動かしてください：LAB_RUNTIME=native npm run lab',
      ),
    })
  }
  return native(docker.why, onProgress)
}

async function native(why: Text, onProgress?: (text: Text) => void): Promise<Runtime> {
  const { nativeRuntime } = await import('./native.ts')
  return nativeRuntime(why, onProgress)
}

/** Asks every place where a daemon may listen, at most {@link PING_MS} each. */
export async function dockerAnswers(): Promise<{ yes: boolean; why: Text }> {
  const places = daemonPlaces()
  if (places.length === 0)
    return { yes: false, why: say('no Docker on this machine', 'このマシンにDockerがない') }
  const replies = await Promise.all(places.map(ping))
  if (replies.includes('ok')) return { yes: true, why: say('a Docker daemon answers', 'Dockerが応答した') }
  if (replies.includes('silent')) {
    return {
      yes: false,
      why: say(`Docker did not answer within ${PING_MS} ms`, `Dockerが${PING_MS}ミリ秒以内に応答しない`),
    }
  }
  return { yes: false, why: say('the Docker daemon is not running', 'Dockerが起動していない') }
}

type Place = { socketPath: string } | { host: string; port: string }

function daemonPlaces(): Place[] {
  const named = process.env.DOCKER_HOST
  if (named?.startsWith('unix://')) return [{ socketPath: named.slice(7) }]
  if (named) {
    const url = new URL(named.replace(/^tcp:/, 'http:'))
    return [{ host: url.hostname, port: url.port || '2375' }]
  }
  if (process.platform === 'win32') return [{ socketPath: '//./pipe/docker_engine' }]
  const run = process.env.XDG_RUNTIME_DIR
  return [
    '/var/run/docker.sock',
    join(homedir(), '.docker/run/docker.sock'),
    ...(run ? [join(run, 'docker.sock')] : []),
  ]
    .filter((path) => existsSync(path))
    .map((socketPath) => ({ socketPath }))
}

function ping(place: Place): Promise<'ok' | 'silent' | 'refused'> {
  return new Promise((resolve) => {
    const request = get({ ...place, path: '/_ping', timeout: PING_MS, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? 'ok' : 'refused')
    })
    request.on('timeout', () => {
      resolve('silent')
      request.destroy()
    })
    request.on('error', () => resolve('refused'))
  })
}
