import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'coverage', 'data', 'src/generated', 'prisma/derived'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: nodeGlobals() },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // A Nest module, a DTO and a domain error can be a class with nothing in it.
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/**/*.spec.ts', 'src/config/environment.ts', 'src/generated/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only src/config/environment.ts reads the environment.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', '**/*.spec.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    files: ['src/database/sqlite/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:fs', 'node:fs/promises'].map((name) => ({
            name,
            allowImportNames: ['mkdirSync', 'existsSync', 'statSync', 'stat', 'statfs', 'statfsSync'],
            message: 'To open and close a database file with fs drops every POSIX lock that this process holds on it.',
          })),
        },
      ],
    },
  },
)

function nodeGlobals() {
  const names = ['process', 'console', 'URL', 'setTimeout', 'clearTimeout', 'setImmediate', 'Buffer', 'WebAssembly']
  return Object.fromEntries(
    [
      ...names,
      'performance',
      'AbortController',
      'fetch',
      'setInterval',
      'clearInterval',
      'structuredClone',
      'TextDecoder',
    ].map((name) => [name, 'readonly']),
  )
}
