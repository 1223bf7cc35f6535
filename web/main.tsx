import { render } from 'preact';
import { App } from './app.js';
import './styles/colours.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/table.css';
import './styles/parts.css';
import './styles/group.css';

const page = document.getElementById('page');
if (page) render(<App />, page);
