import type { SecurityHeadersOptions } from '@nestjs/common'

/** For the page at /docs, which is the only one; an answer in JSON needs none of it, and is not hurt by it. */
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: "'none'",
    scriptSrc: "'self'",
    // The page brings its own styles, in it.
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: "'self'",
    frameAncestors: "'none'",
    baseUri: "'none'",
    formAction: "'none'",
  },
}

/**
 * What browsers are told with every answer. Left out is what is for pages with content of others, or for browsers that are
 * gone: `frame-ancestors` says what X-Frame-Options did.
 */
export function securityHeaders(hstsMaxAgeSeconds: number): SecurityHeadersOptions {
  return {
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    xContentTypeOptions: true,
    referrerPolicy: true,
    crossOriginResourcePolicy: true,
    strictTransportSecurity: hstsMaxAgeSeconds > 0 && { maxAge: hstsMaxAgeSeconds, includeSubDomains: false },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  }
}
