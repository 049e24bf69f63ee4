/** The folder of the PostgreSQL programs. */
export function findPostgres(): string

/** The user that a program runs as that refuses to be root; undefined if this process is not root. */
export function unprivilegedUser(): { uid: number; gid: number } | undefined
