import { Controller, Get, Header } from '@nestjs/common'
import { Requires } from '../../dist/access/requires.decorator.js'
import { CONSTANT_BODY, CONSTANT_PATH } from './personas.mjs'

/** The limit that every other route is held against: the same hooks and the same framework, with nothing to do. */
export class ConstantController {
  getConstant() {
    return CONSTANT_BODY
  }
}

// Decorators, applied by hand: this file is run as it stands.
const { prototype } = ConstantController
const handler = Object.getOwnPropertyDescriptor(prototype, 'getConstant')
Header('content-type', 'application/json; charset=utf-8')(prototype, 'getConstant', handler)
Requires('personas:read')(prototype, 'getConstant', handler)
Get()(prototype, 'getConstant', handler)
Controller(CONSTANT_PATH)(ConstantController)
