import { applyDecorators } from '@nestjs/common'
import { ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger'
import { EVENT_STREAM } from '../../http/event-stream.js'
import { ApiDatabaseProblems, ApiProblem, responseHeaders } from '../../http/openapi.js'
import { ChangesResource } from './change.resource.js'

const ApiBadQuery = (path: string, parameter: string, detail: string) =>
  ApiProblem({
    type: 'urn:gator-personas:problem:validation-failed',
    title: 'Validation failed',
    status: 422,
    detail: `${parameter} ${detail}.`,
    instance: `/api/v1/personas/${path}`,
    errors: [{ pointer: `/${parameter}`, detail }],
  })

export const DescribeStreamChanges = () =>
  applyDecorators(
    ApiOperation({
      summary: 'Follow all changes as they are made',
      description:
        'Server-Sent Events: created, updated, deleted, generated, erased, in the order of their commits; `data` is what ' +
        '`changes` of GET /api/v1/personas/changes holds. `Last-Event-ID` goes on after an event without a gap or a ' +
        'repeat, at any worker. An event `reset` says that this is not possible, why, and from where it goes on: read ' +
        'the lists again.',
    }),
    ApiHeader({
      name: 'Last-Event-ID',
      required: false,
      description: 'Go on after the event of this id; wins over `after`.',
      schema: { type: 'string', example: '9f2c41d07be3-4711-mwst1j2c' },
    }),
    ApiResponse({
      status: 200,
      description: 'Events, for as long as the client likes.',
      headers: responseHeaders('X-Accel-Buffering'),
      content: { [EVENT_STREAM]: { schema: { type: 'string' } } },
    }),
    ApiBadQuery('events', 'after', 'must be the id of one change'),
    ApiDatabaseProblems(),
  )

export const DescribeListChanges = () =>
  applyDecorators(
    ApiOperation({
      summary: 'List what has changed',
      description:
        'The stream of changes for those who ask now and then. Without `after`: none, and where the present is.',
    }),
    ApiResponse({
      status: 200,
      description: 'Changes in the order of their commits.',
      type: ChangesResource,
      headers: responseHeaders(),
    }),
    ApiBadQuery('changes', 'limit', 'must be a whole number from 1 to 1000'),
    ApiDatabaseProblems(),
  )
