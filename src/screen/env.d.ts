// Tells the plain type checker what `.svelte` modules and runes are.
/// <reference types="svelte" />
