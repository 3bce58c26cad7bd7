// One question to a Kafka broker over a connection of its own, in plain text: for requests that the client library does
// not have.
import { type Api, type Fields, readResponse, writeRequest } from '../wire/wire.ts'
import type { World } from '../world/world.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}
const answerBytesMax = 64 * 1024 * 1024
const lengthBytes = 4

/** Rejects with a NetError if nothing listens there, with an Error if it does not answer in time, or at all. */
export async function askBroker<Req extends Fields, Res extends Fields>(
  world: World,
  address: BrokerAddress,
  api: Api<Req, Res>,
  version: number,
  body: Parameters<typeof writeRequest<Req, Res>>[4],
  timeoutMs = 10_000,
): Promise<ReturnType<typeof readResponse<Req, Res>>['body']> {
  const { name } = api
  const socket = await world.net.connect(address)
  const where = `${address.host}:${address.port}`
  try {
    const frame = await new Promise<Uint8Array>((resolve, reject) => {
      const chunks: Uint8Array[] = []
      let bytes = 0
      const late = world.clock.timer(timeoutMs, () => reject(new Error(`${where} did not answer ${name} in time`)))
      const end = (settle: () => void): void => {
        late.cancel()
        settle()
      }
      socket.onClose(() => end(() => reject(new Error(`${where} closed the connection on ${name}`))))
      socket.onData((data) => {
        chunks.push(new Uint8Array(data))
        bytes += data.length
        const whole = Buffer.concat(chunks)
        const wanted = whole.length < lengthBytes ? null : whole.readInt32BE(0)
        if (wanted === null || bytes < lengthBytes + wanted) {
          if (bytes > answerBytesMax) end(() => reject(new Error(`${where} answers ${name} without an end`)))
          return
        }
        end(() => resolve(new Uint8Array(whole.subarray(lengthBytes, lengthBytes + wanted))))
      })
      for (const chunk of writeRequest(api, version, 1, 'millrace', body)) socket.write(chunk)
    })
    return readResponse(api, version, frame).body
  } finally {
    socket.destroy()
  }
}
