import { createReadStream } from 'node:fs'
import { Controller, Get, Header, HttpCode, Param, Post, Res, StreamableFile, UseGuards } from '@nestjs/common'
import { ApiExcludeController } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import { Requires } from '../access/requires.decorator.js'
import { ResourceBody } from '../http/resource-body.decorator.js'
import { CheckpointDto } from './checkpoint.dto.js'
import { DatabaseAdminService } from './database-admin.service.js'
import { LoopbackGuard } from './loopback.guard.js'

const PATH = 'api/v1/admin/database'
const OK = 200
const NoStore = () => Header('cache-control', 'no-store')

/** For operators, on the machine itself or with a key; docs/operations.md describes it, the OpenAPI document is for clients. */
@ApiExcludeController()
@UseGuards(LoopbackGuard)
@Controller(PATH)
export class DatabaseAdminController {
  constructor(private readonly admin: DatabaseAdminService) {}

  @Get('info')
  @Requires('admin')
  @NoStore()
  getInfo(): Promise<object> {
    return this.admin.info()
  }

  @Get('schema/status')
  @Requires('admin')
  @NoStore()
  getSchemaStatus(): Promise<object> {
    return this.admin.schemaStatus()
  }

  @Post('backup')
  @Requires('admin')
  async createBackup(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const backup = await this.admin.backup()
    reply.header('location', `/${PATH}/backups/${(backup as { name: string }).name}`)
    return backup
  }

  @Get('backups')
  @Requires('admin')
  @NoStore()
  listBackups(): object[] {
    return this.admin.backups()
  }

  @Get('backups/:file')
  @Requires('admin')
  @NoStore()
  getBackup(@Param('file') file: string): StreamableFile {
    const { path, bytes } = this.admin.backupFile(file)
    return new StreamableFile(createReadStream(path), {
      type: 'application/octet-stream',
      disposition: `attachment; filename="${file}"`,
      length: bytes,
    })
  }

  @Post('backups/:file/verify')
  @Requires('admin')
  @HttpCode(OK)
  verifyBackup(@Param('file') file: string): Promise<object> {
    return this.admin.verify(file)
  }

  @Post('checkpoint')
  @Requires('admin')
  @HttpCode(OK)
  checkpoint(@ResourceBody() body: CheckpointDto): Promise<object> {
    return this.admin.checkpoint(body.mode ?? 'truncate')
  }

  @Get('contention')
  @Requires('admin')
  @NoStore()
  getContention(): Promise<object> {
    return this.admin.contention()
  }
}
