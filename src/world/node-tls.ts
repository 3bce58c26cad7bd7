// Node's TLS on both sides: handshakes bounded in time and number, names of the certificates that peers show.
import { constants, X509Certificate } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { type ClientTls, NetError, type ServerTls } from './world.ts'

/** Of a connection that we make. */
const handshakeMsMax = 15_000

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

/** A connection whose other side has shown who it is. */
export function connectTls(
  { host, port }: { readonly host: string; readonly port: number },
  { ca, shown }: ClientTls,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(new NetError('TLS', `cannot connect to ${host}:${port} by TLS: ${error.message}`, { cause: error }))
    }
    let socket: TLSSocket
    try {
      socket = connect({
        host,
        port,
        minVersion: 'TLSv1.2',
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(ca === null ? {} : { ca: Buffer.from(ca) }),
        ...(shown === null ? {} : { cert: Buffer.from(shown.certificate), key: Buffer.from(shown.key) }),
      })
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)))
      return
    }
    socket.setNoDelay(true)
    socket.setTimeout(handshakeMsMax, () => socket.destroy(new Error('the handshake took too long')))
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      socket.setTimeout(0)
      socket.off('error', fail)
      socket.pause()
      resolve(socket)
    })
  })
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
