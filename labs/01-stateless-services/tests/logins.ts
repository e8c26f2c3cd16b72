import { eventually, say, type Answer, type RequestOptions, type StartedRole } from '#harness'

type Options = Pick<RequestOptions, 'headers' | 'agent' | 'within'>

export interface Login {
  answer: Answer
  /** `session=…`, as a browser sends it back. */
  cookie: string
}

/** Logs in as `user` and keeps the cookie, as a browser does. */
export async function login(app: StartedRole, user: string, options: Options = {}): Promise<Login> {
  const answer = await app.post('/api/login', { user }, options)
  const set = answer.headers['set-cookie']?.find((line) => line.startsWith('session='))
  return { answer, cookie: set?.split(';')[0] ?? '' }
}

/** Who an instance takes the owner of this cookie for. */
export function me(app: StartedRole, cookie: string, within?: number): Promise<Answer> {
  return app.get('/api/me', { headers: { cookie }, within })
}

/** The same right after a start: the way to the store may still be opening, and 503 means "not yet". */
export function meAfterStart(app: StartedRole, cookie: string): Promise<Answer> {
  return eventually(
    say(`${app.name} reaches its store`, `${app.name}がストアに接続する`),
    () => me(app, cookie),
    ({ status }) => status !== 503,
  )
}

/** Seconds by `Max-Age` or, without it, `Expires`; undefined for a cookie that lives as long as the browser. */
export function lifetime(attributes: string[]): number | undefined {
  const valueOf = (name: string) =>
    attributes.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1)
  const maxAge = valueOf('max-age')
  if (maxAge !== undefined) return Number(maxAge)
  const expires = valueOf('expires')
  return expires === undefined ? undefined : (Date.parse(expires) - Date.now()) / 1000
}

/** How many bits the values show: of each place the logarithm of how many characters stood there. */
export function bits(values: string[]): number {
  const longest = Math.max(...values.map((value) => value.length))
  return Array.from({ length: longest }, (_, place) =>
    Math.log2(new Set(values.map((value) => value[place])).size),
  ).reduce((sum, of) => sum + of, 0)
}
