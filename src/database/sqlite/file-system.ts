import { statfsSync } from 'node:fs'

export interface FileSystem {
  readonly name: string
  /** `refuse`: its locks or its shared memory do not do what WAL mode needs; `warn`: data do not outlive the machine's. */
  readonly verdict: 'ok' | 'warn' | 'refuse'
  readonly reason: string
}

const IS_NETWORK = 'SQLite needs locks and shared memory between processes, which a network file system does not give'
const IS_FUSE = 'what its locks are worth depends on the program behind it'
const IS_MEMORY = 'it is in memory: nothing outlives a restart of the machine'
const IS_LAYER = 'a layer of a container ends with the container: put the database on a volume'

const ok = (name: string): FileSystem => ({ name, verdict: 'ok', reason: '' })
const warn = (name: string, reason: string): FileSystem => ({ name, verdict: 'warn', reason })
const refuse = (name: string, reason: string): FileSystem => ({ name, verdict: 'refuse', reason })

/** By the number that statfs(2) answers on Linux; see linux/magic.h and `stat -f` of the GNU coreutils. */
const BY_MAGIC: Readonly<Record<number, FileSystem>> = {
  0xef53: ok('ext2/3/4'),
  0x58465342: ok('xfs'),
  0x9123683e: ok('btrfs'),
  0x2fc12fc1: ok('zfs'),
  0xf2f52010: ok('f2fs'),
  0x6969: refuse('NFS', IS_NETWORK),
  0x517b: refuse('SMB', IS_NETWORK),
  0xfe534d42: refuse('SMB2', IS_NETWORK),
  0xff534d42: refuse('CIFS', IS_NETWORK),
  0x01021997: refuse('9p', IS_NETWORK),
  0x6a656a63: refuse('virtiofs', IS_NETWORK),
  0x5346414f: refuse('AFS', IS_NETWORK),
  0x00c36400: refuse('Ceph', IS_NETWORK),
  0x0bd00bd0: refuse('Lustre', IS_NETWORK),
  0x01161970: refuse('GFS2', IS_NETWORK),
  0x7461636f: refuse('OCFS2', IS_NETWORK),
  0x47504653: refuse('GPFS', IS_NETWORK),
  0x19830326: refuse('BeeGFS', IS_NETWORK),
  0x20030528: refuse('OrangeFS', IS_NETWORK),
  0x73757245: refuse('Coda', IS_NETWORK),
  0xaad7aaea: refuse('PanFS', IS_NETWORK),
  0x786f4256: refuse('VirtualBox shared folders', IS_NETWORK),
  0xbacbacbc: refuse('VMware shared folders', IS_NETWORK),
  0x65735546: refuse('FUSE', IS_FUSE),
  0x01021994: warn('tmpfs', IS_MEMORY),
  0x858458f6: warn('ramfs', IS_MEMORY),
  0x794c7630: warn('overlayfs', IS_LAYER),
}

/** The file system that a path is on, and whether SQLite in WAL mode may be used there by several processes. */
export function fileSystemOf(path: string): FileSystem {
  if (process.platform !== 'linux') return ok(`a file system of ${process.platform}`)
  const { type } = statfsSync(path)
  // Numbers with the highest bit arrive as negative ones on some machines.
  const magic = type >>> 0
  const unknown = `0x${magic.toString(16)}`
  return BY_MAGIC[magic] ?? warn(unknown, 'it is not known whether its locks do what SQLite needs')
}
