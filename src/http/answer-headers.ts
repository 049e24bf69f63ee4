/** Where the headers of an answer go: a reply, or what is kept of it. */
export interface AnswerHeaders {
  header(name: string, value: string): unknown
}
