import { ChangeFeed } from '../../src/personas/changes/change-feed.js'
import { ChangeService } from '../../src/personas/changes/change.service.js'
import { ChangeSource } from '../../src/personas/changes/change-source.js'
import { PersonaRepository } from '../../src/personas/persona.repository.js'
import { RevisionRepository } from '../../src/personas/revisions/revision.repository.js'
import { RevisionService } from '../../src/personas/revisions/revision.service.js'
import { PersonaReads } from '../../src/personas/reads/persona.reads.js'
import { PersonaService } from '../../src/personas/persona.service.js'
import type { TestApp } from './support.js'

/** Fails at whatever it is asked for. */
class FaultyRepository extends PersonaRepository {
  constructor(private readonly error: Error) {
    super()
  }

  private readonly fail = (): Promise<never> => Promise.reject(this.error)

  override readonly insert = this.fail
  override readonly findById = this.fail
  override readonly findPage = this.fail
  override readonly count = this.fail
  override readonly updateIf = this.fail
  override readonly updateWith = this.fail
  override readonly addGenerations = this.fail
}

class FaultyRevisionRepository extends RevisionRepository {
  constructor(private readonly error: Error) {
    super()
  }

  private readonly fail = (): Promise<never> => Promise.reject(this.error)

  override readonly findPage = this.fail
  override readonly findVersion = this.fail
  override readonly findAsOf = this.fail
  override readonly findOldest = this.fail
}

class FaultyChangeSource extends ChangeSource {
  constructor(private readonly error: Error) {
    super()
  }

  private readonly fail = (): Promise<never> => Promise.reject(this.error)

  override readonly present = this.fail
  override readonly reasonToReset = this.fail
  override readonly page = this.fail
}

/** From now on every call of the repositories fails with this error. */
export function failWith(app: TestApp, error: Error): void {
  const fail = () => Promise.reject(error)
  Object.assign(app.app.get(PersonaReads, { strict: false }), { find: fail, findPage: fail })
  Reflect.set(app.app.get(PersonaService, { strict: false }), 'repository', new FaultyRepository(error))
  Reflect.set(app.app.get(RevisionService, { strict: false }), 'revisions', new FaultyRevisionRepository(error))
  for (const reader of [ChangeFeed, ChangeService]) {
    Reflect.set(app.app.get<object>(reader, { strict: false }), 'source', new FaultyChangeSource(error))
  }
}
