// What the seeded shop sells: 9,816 products in 248 categories, each with an invented brand, a unique title, a price in
// its category's range and a rank of popularity.
import { assert } from '../std/assert.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { departments, type Style } from './departments.ts'
import { normal, shuffle } from './distributions.ts'

export interface Product {
  /** `B0` and eight letters or digits. */
  readonly id: string
  /** `Brand Adjective Noun, Variant, Model X123`, unique in the catalogue. */
  readonly title: string
  readonly category: string
  readonly brand: string
  /** Cents of a real. */
  readonly priceMinor: number
}
export interface CategoryRange {
  readonly name: string
  readonly department: string
  /** How many products of the catalogue are in it. */
  readonly products: number
  /** Every price of the category lies in [priceMinMinor, priceMaxMinor], cents of a real. */
  readonly priceMinMinor: number
  readonly priceMaxMinor: number
}
export interface Catalogue {
  /** Most wanted first: the index is the rank of popularity. */
  readonly products: readonly Product[]
  readonly categories: readonly CategoryRange[]
}

export const catalogueProducts = 9_816
const productsPerCategoryMin = 8
/** Standard deviation of the logarithm of a price around its category's median. */
const priceSpread = 0.45

const words = (text: string): readonly string[] => text.split('|')
const titleWords: Readonly<
  Record<Style, { readonly adjectives: readonly string[]; readonly variants: readonly string[] }>
> = {
  goods: {
    adjectives: words(
      'Classic|Compact|Deluxe|Elegant|Essential|Foldable|Heavy-Duty|Light|Mini|Modern|Portable|Premium|Pro|Reinforced|Retro|Slim|Smart|Sturdy|Ultra|Versatile',
    ),
    variants: words(
      'Black|White|Grey|Graphite|Navy Blue|Sky Blue|Red|Burgundy|Green|Olive|Beige|Brown|Purple|Yellow|Orange|Silver|Gold|Matte Black',
    ),
  },
  wear: {
    adjectives: words(
      'Casual|Classic|Comfort|Cotton|Elegant|Everyday|Light|Modern|Premium|Retro|Slim|Soft|Sport|Urban|Vintage',
    ),
    variants: words('Black|White|Grey|Navy Blue|Red|Green|Beige|Brown|Pink|Size S|Size M|Size L|Size XL|Plus Size'),
  },
  pack: {
    adjectives: words(
      'Classic|Daily|Delicate|Essential|Family|Fresh|Gentle|Natural|Organic|Premium|Pro|Pure|Select|Special|Traditional',
    ),
    variants: words('Single|Pack of 2|Pack of 3|Pack of 4|Pack of 6|Travel Size|Large|Refill|Gift Box|Value Pack'),
  },
  book: {
    adjectives: words('Annotated|Classic|Complete|Essential|Illustrated|New|Practical|Pocket|Revised|Selected'),
    variants: words('Paperback|Hardcover|Large Print|Boxed Set|Second Edition|Collector Edition'),
  },
}
const brandHeads = 'Arvo Braxi Cundi Delmo Fenza Giru Halto Jubra Kovi Lenda Mirza Nolvi Ostri Pravo Quila Runza'.split(
  ' ',
)
const brandTails = 'ben dar fil go lar mex nor tek via zon'.split(' ')
const brandsPerDepartment = 14

/** The same seed gives the same catalogue. */
export function catalogue(seed: string): Catalogue {
  const random = randomStream(seed).fork('catalogue')
  const sizes = categorySizes(random.fork('sizes'))
  const codes = modelCodes(random.fork('models'))
  const ids = productIds(random.fork('ids'))
  const brands = shuffle(
    random.fork('brands'),
    brandHeads.flatMap((head) => brandTails.map((tail) => head + tail)),
  )
  const draw = random.fork('products')
  const products: Product[] = []
  const categories: CategoryRange[] = []
  departments.forEach((department, departmentIndex) => {
    const houseBrands = Array.from(
      { length: brandsPerDepartment },
      (_, i) => brands[(departmentIndex * 5 + i) % brands.length]!,
    )
    const style = titleWords[department.style]
    for (const category of department.categories) {
      const count = sizes[categories.length]!
      const medianMinor = category.medianPrice * 100
      const priceMinMinor = Math.max(299, Math.round(medianMinor * 0.3))
      const priceMaxMinor = Math.round(medianMinor * 3.5)
      categories.push({
        name: category.name,
        department: department.name,
        products: count,
        priceMinMinor,
        priceMaxMinor,
      })
      for (let i = 0; i < count; i++) {
        const brand = houseBrands[draw.below(houseBrands.length)]!
        const noun = category.nouns[draw.below(category.nouns.length)]!
        const adjective = style.adjectives[draw.below(style.adjectives.length)]!
        const variant = style.variants[draw.below(style.variants.length)]!
        products.push({
          id: ids(products.length),
          title: `${brand} ${adjective} ${noun}, ${variant}, Model ${codes[products.length]}`,
          category: category.name,
          brand,
          priceMinor: price(draw, medianMinor, priceMinMinor, priceMaxMinor),
        })
      }
    }
  })
  assert(products.length === catalogueProducts, `the catalogue has ${products.length} products`)
  return { products: shuffle(random.fork('popularity'), products), categories }
}

/** Zipf-like sizes, at least `productsPerCategoryMin`, in a seeded order, that add up to the whole catalogue. */
function categorySizes(random: RandomStream): number[] {
  const count = departments.reduce((sum, department) => sum + department.categories.length, 0)
  const weights = Array.from({ length: count }, (_, rank) => (rank + 12) ** -0.9)
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0)
  const spare = catalogueProducts - count * productsPerCategoryMin
  const sizes = weights.map((weight) => productsPerCategoryMin + Math.floor((spare * weight) / weightSum))
  let missing = catalogueProducts - sizes.reduce((sum, size) => sum + size, 0)
  for (let i = 0; missing > 0; i++, missing--) sizes[i % count] = sizes[i % count]! + 1
  return shuffle(random, sizes)
}

/** Log-normal around the median, drawn again while outside the category's range, with a shop's endings. */
function price(random: RandomStream, medianMinor: number, minMinor: number, maxMinor: number): number {
  for (;;) {
    const reais = Math.floor((medianMinor * Math.exp(priceSpread * normal(random))) / 100)
    const ending = random.below(10)
    const minor = reais * 100 + (ending < 6 ? 99 : ending < 9 ? 90 : 49)
    if (minor >= minMinor && minor <= maxMinor) return minor
  }
}

/** A letter and a number of three digits, each once: what makes titles unique. */
function modelCodes(random: RandomStream): string[] {
  const codes: string[] = []
  for (let letter = 0; letter < 26; letter++) {
    for (let number = 100; number < 1000; number++) codes.push(String.fromCharCode(65 + letter) + number)
  }
  return shuffle(random, codes)
}

/** Walks the 36^8 ids in steps that share no factor with 36, so none comes twice within a catalogue. */
function productIds(random: RandomStream): (index: number) => string {
  const space = 36 ** 8
  const start = random.below(2 ** 32)
  const step = 287_417_303
  return (index) => `B0${((start + index * step) % space).toString(36).toUpperCase().padStart(8, '0')}`
}
