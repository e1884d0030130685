import { expect, test } from 'vitest'
import { canonicalJson, definitionHash } from '../src/definition-hash.ts'

test('canonical JSON sorts members by UTF-16 units and leaves out what is undefined', () => {
  expect(canonicalJson({ b: [1, 'ü', null], a: { d: true, c: 1.5 }, '\u20ac': 'x', B: undefined })).toBe(
    '{"a":{"c":1.5,"d":true},"b":[1,"ü",null],"\u20ac":"x"}',
  )
})

test('the hash depends on what voters decide on and on nothing else', () => {
  const definition = {
    title: 'Which way?',
    options: [
      { id: 'a', label: 'Left' },
      { id: 'b', label: 'Right' },
    ],
    regions: [],
    revote: 'first' as const,
    electorate: null,
  }
  // sha256sum of the canonical text, taken outside this code
  expect(definitionHash(definition)).toBe('29e5827008ffb2b2b78c66c7c30d97025f1a920694639b5286b713d44379fd41')
  expect(definitionHash({ ...definition, title: 'Which?' })).not.toBe(definitionHash(definition))
  expect(definitionHash({ ...definition, electorate: 5 })).not.toBe(definitionHash(definition))
})

test('what has its default leaves the hash as it was before there was a choice', () => {
  const definition = { title: 'T', options: [], regions: [], revote: 'last' as const, electorate: null }
  const defaults = {
    maxChoices: 1,
    allowBlank: false,
    resultsVisible: 'live' as const,
    eligibility: { kind: 'codes' as const },
  }
  const plain = definitionHash(definition)
  expect(definitionHash({ ...definition, ...defaults })).toBe(plain)
  const others = [
    { maxChoices: 2 },
    { allowBlank: true },
    { resultsVisible: 'after-close' as const },
    { resultsVisible: { from: 5 } },
    { eligibility: { kind: 'link' as const } },
    { eligibility: { kind: 'claim' as const, claim: 'groups', value: 'members' } },
  ]
  const hashes = others.map((other) => definitionHash({ ...definition, ...other }))
  expect(new Set([plain, ...hashes]).size).toBe(others.length + 1)
})
