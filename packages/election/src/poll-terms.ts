/**
 * When results are to be seen. `live`: always. `after-voting`: by who shows the receipt of a ballot of this poll, and by
 * everybody after the close. `after-close`: after the close. `{ from }`: as soon as so many voters have voted, or after the close.
 */
export type ResultsVisible = 'live' | 'after-voting' | 'after-close' | { readonly from: number }

/**
 * Who may vote. `link`: anyone with the link; such a poll is indicative, for nobody can tell one person from another.
 * `codes`: who has a voter code. `addresses`: who reads the mail of a listed address. `claim`: who signs in with the
 * organisation's provider and has this claim, as text or in a list.
 */
export type Eligibility =
  | { readonly kind: 'link' }
  | { readonly kind: 'codes' }
  | { readonly kind: 'addresses' }
  | { readonly kind: 'claim'; readonly claim: string; readonly value: string }
