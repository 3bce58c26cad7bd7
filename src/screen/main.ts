// Where the screen begins: the theme first, so that nothing flashes, then the page.
import { mount } from 'svelte'
import App from './App.svelte'
import { applyTheme } from './theme.ts'

applyTheme()
const target = document.getElementById('page')
if (target !== null) mount(App, { target })
