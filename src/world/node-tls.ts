// Node's TLS on the accepting side: handshakes bounded in time and number, names of the certificates that peers show.
import { constants, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { NetError, type ServerTls } from './world.ts'

export function acceptTls(
  tls: ServerTls,
  accept: (socket: TLSSocket, subject: string | null) => void,
): { readonly server: Server; abandon(): void } {
  const server = serverOf(tls)
  /** By the peer's address and port: who has connected and not yet finished its handshake. */
  const underWay = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
    if (underWay.size >= tls.handshakesMax) {
      socket.destroy()
      return
    }
    const peer = peerOf(socket)
    underWay.set(peer, socket)
    socket.once('close', () => {
      if (underWay.get(peer) === socket) underWay.delete(peer)
    })
  })
  server.on('secureConnection', (socket) => {
    underWay.delete(peerOf(socket))
    accept(socket, tls.clientCa === null ? null : subjectOf(socket))
  })
  // Node has closed it, or is about to; there is nobody to tell.
  server.on('tlsClientError', (_, socket) => socket.destroy())
  return {
    server,
    abandon() {
      for (const socket of underWay.values()) socket.destroy()
    },
  }
}

function serverOf({ certificate, key, clientCa, handshakeMsMax }: ServerTls): Server {
  try {
    // Node takes a file without any certificate for an empty list of authorities: nobody could connect.
    if (clientCa !== null) new X509Certificate(clientCa)
    return createServer({
      cert: Buffer.from(certificate),
      key: Buffer.from(key),
      ...(clientCa === null ? {} : { ca: Buffer.from(clientCa) }),
      requestCert: clientCa !== null,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      handshakeTimeout: handshakeMsMax,
      noDelay: true,
    })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new NetError('TLS', `the TLS certificate or key cannot be used: ${why}`, { cause: error })
  }
}

const peerOf = (socket: Socket): string => `${socket.remoteAddress}:${socket.remotePort}`

/** Node writes one line for each part, the most general first, each already escaped as RFC 2253 wants it. */
function subjectOf(socket: TLSSocket): string | null {
  const subject = socket.getPeerX509Certificate()?.subject
  return subject === undefined || subject === '' ? null : subject.split('\n').reverse().join(',')
}
