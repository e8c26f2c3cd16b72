import type { Socket } from 'node:net'

/**
 * Resets a connection: the other side sees ECONNRESET. Between `end()` and its FIN libuv refuses that (EINVAL), and
 * Node 24 then drops the socket with its descriptor open for ever: the other side hears nothing, and a worker thread that
 * holds one never ends (`Environment::CleanupHandles` spins). So there the reset follows the FIN, a turn later.
 */
export function reset(socket: Socket): void {
  if (isEnding(socket)) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}

function isEnding(socket: Socket): boolean {
  return socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished && !socket.destroyed
}
