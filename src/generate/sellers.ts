// The sixteen sellers of the marketplace and their shares of its sales. All invented; some names carry accents, as
// Brazilian names do, so that UTF-8 goes through every part of the house every second.

export interface Seller {
  readonly name: string
  /** Share of all sales; the shares add up to 1. */
  readonly share: number
  /** How the seller prices: factor on the catalogue's price. */
  readonly priceLevel: number
}

export const sellers: readonly Seller[] = [
  { name: 'Mercado Jatobá', share: 0.142, priceLevel: 0.985 },
  { name: 'Casa Veredas', share: 0.118, priceLevel: 1.0 },
  { name: 'Lojas Pindorama', share: 0.101, priceLevel: 0.99 },
  { name: 'Empório Araucária', share: 0.086, priceLevel: 1.03 },
  { name: 'Galpão Guaíba', share: 0.077, priceLevel: 0.97 },
  { name: 'Vila Mantiqueira', share: 0.069, priceLevel: 0.98 },
  { name: 'Armazém Cambuci', share: 0.062, priceLevel: 1.01 },
  { name: 'Praia Norte Store', share: 0.055, priceLevel: 1.02 },
  { name: 'Feira do Sertão', share: 0.049, priceLevel: 0.965 },
  { name: 'Bazar Tucumã', share: 0.045, priceLevel: 1.04 },
  { name: 'Depósito Ipanema Sul', share: 0.041, priceLevel: 0.995 },
  { name: 'Outlet Paranoá', share: 0.037, priceLevel: 0.96 },
  { name: 'Estação Serra Azul', share: 0.034, priceLevel: 1.015 },
  { name: 'Rota 163 Comércio', share: 0.03, priceLevel: 1.0 },
  { name: 'Sítio Bom Retiro', share: 0.028, priceLevel: 1.05 },
  { name: 'Ateliê Marajó', share: 0.026, priceLevel: 1.06 },
]
