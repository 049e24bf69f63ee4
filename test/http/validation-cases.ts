import type { Fields } from './support.js'

const EMOJI = '😀'
/** Two code points that look like one character. */
const COMBINED = 'e\u0301'

export const objectOfDepth = (depth: number): Fields =>
  depth === 1 ? {} : { a: depth === 2 ? {} : objectOfDepth(depth - 1) }

/** An object whose JSON has so many bytes. */
export const objectOfBytes = (bytes: number): Fields => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) })

const long = (length: number) => 'x'.repeat(length)
const many = (count: number) => Array.from({ length: count }, (_, index) => `theme ${index}`)

/** What is accepted: a label, the fields of a body, and what comes back where that is not what was sent. */
export const ACCEPTED: readonly (readonly [string, Fields, Fields?])[] = [
  ['the shortest name', { name: 'ab' }],
  ['the longest name', { name: long(100) }],
  ['a name of two emoji', { name: EMOJI.repeat(2) }],
  ['a name of 100 emoji', { name: EMOJI.repeat(100) }],
  ['a name of one letter and its accent', { name: COMBINED }],
  ['a name of 50 letters and their accents', { name: COMBINED.repeat(50) }],
  ['a name in spaces', { name: '  Sarah \t\n' }, { name: 'Sarah' }],
  ['a name that is too long before trimming', { name: ` ${long(100)} ` }, { name: long(100) }],
  ['a name of other marks', { name: 'O’Neil "the" (great) / 50% ; -- \\ ` $' }],
  ['a name in another script', { name: '中文 مرحبا עברית' }],
  ['the shortest appearance', { appearance: long(10) }],
  ['the longest appearance', { appearance: long(2000) }],
  ['an appearance of 10 emoji', { appearance: EMOJI.repeat(10) }],
  ['an appearance of 2000 emoji', { appearance: EMOJI.repeat(2000) }],
  ['an appearance that is not trimmed', { appearance: "  <b>bold</b> & 'quoted'\r\n " }],
  ['the shortest personality', { personality: COMBINED.repeat(5) }],
  ['the longest personality', { personality: COMBINED.repeat(1000) }],
  ['no themes', { content_themes: [] }],
  ['ten themes', { content_themes: many(10) }],
  ['themes twice, empty and long', { content_themes: ['a', 'a', '', long(5000)] }],
  ['themes of 64 KiB', { content_themes: [long(65_536 - '["",""]'.length), ''] }],
  ['harmless themes', { content_themes: ['violet', 'hate  speech', 'adult', 'content', 'non violent'] }],
  ['an empty object of style preferences', { style_preferences: {} }],
  ['style preferences of every kind', { style_preferences: { s: '', n: 0, f: -1.5, t: true, a: [[], {}] } }],
  ['style preferences 32 levels deep', { style_preferences: objectOfDepth(32) }],
  ['style preferences of 64 KiB', { style_preferences: objectOfBytes(65_536) }],
  ['every default rating', { default_content_rating: 'nsfw', allowed_content_ratings: ['nsfw'] }],
  ['every allowed rating', { allowed_content_ratings: ['nsfw', 'sfw', 'moderate'] }],
  [
    'every platform restriction',
    { platform_restrictions: { a: 'sfw_only', b: 'moderate_allowed', c: 'both', d: 'all' } },
  ],
  ['platforms of any name', { platform_restrictions: { '': 'all', 'a/b~c': 'all', constructor: 'all', '😀': 'both' } }],
  ['an empty base description', { base_appearance_description: '' }],
  ['the longest base description', { base_appearance_description: EMOJI.repeat(5000) }],
  ['an empty image path', { base_image_path: '' }],
  ['the longest image path', { base_image_path: COMBINED.repeat(250) }],
  ['a locked appearance', { appearance_locked: true }],
  ...['pending_upload', 'draft', 'approved', 'rejected'].map(
    (status) => [`image status ${status}`, { base_image_status: status }] as const,
  ),
  ['an inactive persona', { is_active: false }],
]

const notStrings = [0, 1.5, true, false, [], ['Sarah Connor'], {}, { length: 10 }]
const notBooleans = ['true', 'false', '', 'yes', 0, 1, [], {}]
const notObjects = ['{}', '', 1, true, [], [{}]]
const kind = (field: string, values: readonly unknown[]) =>
  values.map((value) => [`${field}: ${JSON.stringify(value)}`, { [field]: value }, [`/${field}`]] as const)

/** What is refused: a label, the fields of a body, and the pointers of the faults. */
export const REFUSED: readonly (readonly [string, Fields, readonly string[]])[] = [
  ['an empty name', { name: '' }, ['/name']],
  ['a name of one character', { name: 'a' }, ['/name']],
  ['a name of one emoji', { name: EMOJI }, ['/name']],
  ['a name of one composed letter', { name: 'é' }, ['/name']],
  ['a name of spaces', { name: '          ' }, ['/name']],
  ['a name that is short after trimming', { name: ' a ' }, ['/name']],
  ['a name of 101 characters', { name: long(101) }, ['/name']],
  ['a name of 101 emoji', { name: EMOJI.repeat(101) }, ['/name']],
  ['a name of 51 letters and their accents', { name: COMBINED.repeat(51) }, ['/name']],
  ...['<', '>', '&', "'"].map((mark) => [`a name with ${mark}`, { name: `Sarah${mark}` }, ['/name']] as const),
  ['a name that is too short and has a refused mark', { name: '<' }, ['/name', '/name']],
  ['an appearance of 9 characters', { appearance: long(9) }, ['/appearance']],
  ['an appearance of 9 emoji', { appearance: EMOJI.repeat(9) }, ['/appearance']],
  ['an appearance of 2001 characters', { appearance: long(2001) }, ['/appearance']],
  ['an appearance of 2001 emoji', { appearance: EMOJI.repeat(2001) }, ['/appearance']],
  ['a personality of 9 characters', { personality: long(9) }, ['/personality']],
  ['a personality of 2001 code points', { personality: `${COMBINED.repeat(1000)}x` }, ['/personality']],
  ['eleven themes', { content_themes: many(11) }, ['/content_themes']],
  ...['illegal activity', 'HATE SPEECH', 'some Violence here', 'xadult contentx'].map(
    (theme) => [`the theme ${theme}`, { content_themes: ['fine', theme] }, ['/content_themes/1']] as const,
  ),
  [
    'themes of the wrong type, each',
    { content_themes: ['a', 1, null, true, ['b'], {}] },
    [1, 2, 3, 4, 5].map((index) => `/content_themes/${index}`),
  ],
  ['themes beyond 64 KiB', { content_themes: [long(65_537 - '["",""]'.length), ''] }, ['/content_themes']],
  ['style preferences 33 levels deep', { style_preferences: objectOfDepth(33) }, ['/style_preferences']],
  ['style preferences beyond 64 KiB', { style_preferences: objectOfBytes(65_537) }, ['/style_preferences']],
  ['an unknown default rating', { default_content_rating: 'SFW' }, ['/default_content_rating']],
  ['no allowed rating', { allowed_content_ratings: [] }, ['/allowed_content_ratings']],
  ['an allowed rating twice', { allowed_content_ratings: ['sfw', 'sfw'] }, ['/allowed_content_ratings/1']],
  [
    'unknown allowed ratings',
    { allowed_content_ratings: ['x', 'sfw', 1, null] },
    [0, 2, 3].map((index) => `/allowed_content_ratings/${index}`),
  ],
  [
    'a default rating that is not allowed',
    { default_content_rating: 'nsfw', allowed_content_ratings: ['sfw', 'moderate'] },
    ['/default_content_rating'],
  ],
  [
    'unknown platform restrictions',
    { platform_restrictions: { ok: 'all', 'a/b~c': 'none', b: 1, d: {} } },
    ['/platform_restrictions/a~1b~0c', '/platform_restrictions/b', '/platform_restrictions/d'],
  ],
  ['a base description of 5001', { base_appearance_description: EMOJI.repeat(5001) }, ['/base_appearance_description']],
  ['an image path of 501', { base_image_path: long(501) }, ['/base_image_path']],
  ['an unknown image status', { base_image_status: 'done' }, ['/base_image_status']],
  ...['name', 'appearance', 'personality', 'base_appearance_description', 'base_image_path'].flatMap((field) =>
    kind(field, notStrings),
  ),
  ...['appearance_locked', 'is_active'].flatMap((field) => kind(field, notBooleans)),
  ...['style_preferences', 'platform_restrictions'].flatMap((field) => kind(field, notObjects)),
  ...kind('content_themes', ['jazz', '', '[]', 1, true, {}, { 0: 'jazz', length: 1 }]),
  ...kind('default_content_rating', ['', 0, true, ['sfw'], {}]),
  ...kind('allowed_content_ratings', ['sfw', 1, true, {}, { 0: 'sfw' }]),
  ...kind('base_image_status', ['', 1, true, ['draft'], {}]),
]
