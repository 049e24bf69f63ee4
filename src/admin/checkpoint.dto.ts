import { IsIn, IsOptional } from 'class-validator'

export const MODES = ['passive', 'truncate'] as const

/** What is asked for with a checkpoint. */
export class CheckpointDto {
  @IsOptional()
  @IsIn(MODES, { message: `must be one of ${MODES.join(', ')}` })
  mode?: (typeof MODES)[number]
}
