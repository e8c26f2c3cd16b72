import { http, type Answer, type RequestOptions } from '../http.ts'

type Send = Omit<RequestOptions, 'method' | 'body' | 'to'>

/** Requests to one instance of a role, in the timeline under its name. */
export class RoleClient {
  readonly name: string
  readonly url: string

  constructor(name: string, url: string) {
    this.name = name
    this.url = url
  }

  request(path: string, options: RequestOptions = {}): Promise<Answer> {
    return http(this.url + path, { to: this.name, ...options })
  }

  get(path: string, options: Send = {}): Promise<Answer> {
    return this.request(path, options)
  }

  put(path: string, body?: unknown, options: Send = {}): Promise<Answer> {
    return this.request(path, { ...options, method: 'PUT', body })
  }

  post(path: string, body?: unknown, options: Send = {}): Promise<Answer> {
    return this.request(path, { ...options, method: 'POST', body })
  }

  delete(path: string, options: Send = {}): Promise<Answer> {
    return this.request(path, { ...options, method: 'DELETE' })
  }
}
