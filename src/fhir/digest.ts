/** Digests of content. */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import canonicalize from 'canonicalize'
import type { Resource } from './bundle.ts'

/** SHA-256 over UTF-8, base64url without padding: 43 characters. */
export function digest(text: string): string {
  return btoa(String.fromCharCode(...sha256(utf8ToBytes(text))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/**
 * Digest of what a resource says: its canonical JSON (RFC 8785) without `id`, `meta.versionId` and `meta.lastUpdated`,
 * which the server sets. Decimals count as written: `1.0` and `1.00` differ.
 */
export function contentDigest(resource: Resource): string {
  const { id: _id, meta, ...content } = resource
  const kept = keptMeta(resource)
  return digest(canonicalize(kept === null ? content : { ...content, meta: kept }) ?? '')
}

/** The members of `meta` that stay as published; null when none do. */
export function keptMeta({ meta }: Resource): Readonly<Record<string, unknown>> | null {
  if (typeof meta !== 'object' || meta === null) return null
  const { versionId: _versionId, lastUpdated: _lastUpdated, ...kept } = meta as Record<string, unknown>
  return Object.keys(kept).length === 0 ? null : kept
}
