import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import './focus'

mount(App, { target: document.getElementById('app')! })
