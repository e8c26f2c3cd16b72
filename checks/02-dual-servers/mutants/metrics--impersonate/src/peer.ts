import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { PEER_CHECK_MS, PEER_TIMEOUT_MS, PEER_TOKEN, PEER_URL } from './config.ts'

/** The peer did not answer, or not with what it was asked for. */
export class PeerUnavailable extends Error {}

interface Call {
  /** Of the client's request that the call is made for. */
  requestId?: string
  /** The user that the peer shall answer. */
  userId?: string
  body?: unknown
}

// #region call-peer
/** Calls the peer: GET, or POST if there is a body. It ends within PEER_TIMEOUT_MS, reading the answer included. */
export function callPeer(path: string, call: Call = {}): Promise<Response> {
  const { requestId = randomUUID(), userId, body } = call
  return fetch(PEER_URL + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'content-type': 'application/json',
      'x-peer-token': PEER_TOKEN,
      'x-request-id': requestId,
      ...(userId && { 'x-user-id': userId }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PEER_TIMEOUT_MS),
  })
}

/** Asks the peer for something: its answer, or undefined if it has no such thing. */
export async function askPeer<T>(path: string, call: Call): Promise<T | undefined> {
  try {
    const answer = await callPeer(path, call)
    const body: T = JSON.parse(await answer.text())
    if (answer.status === 404) return undefined
    if (!answer.ok) throw new Error(`the peer said ${answer.status}`)
    return body
  } catch (error) {
    throw new PeerUnavailable('peer unavailable', { cause: error })
  }
}
// #endregion call-peer

// #region watch-peer
type PeerState = 'unknown' | 'healthy' | 'unhealthy' | 'unreachable'

let seen: PeerState = 'unknown'

/** What the last check saw. Reading it costs the peer nothing. */
export const peerState = (): PeerState => seen

/** Checks the peer again and again, in the background. */
export async function watchPeer(): Promise<never> {
  for (;;) {
    seen = await checkPeer()
    await setTimeout(PEER_CHECK_MS)
  }
}

async function checkPeer(): Promise<PeerState> {
  try {
    const answer = await callPeer('/health')
    // The status says it all; whatever the body is, it need not be read.
    await answer.body?.cancel()
    return answer.status === 200 ? 'healthy' : 'unhealthy'
  } catch {
    return 'unreachable'
  }
}
// #endregion watch-peer
