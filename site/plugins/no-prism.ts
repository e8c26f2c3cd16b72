/** Stands in for prism-react-renderer: our code is coloured while the site is built, no page needs a highlighter. */
export const Prism = { languages: {} }
export const themes = { palenight: { plain: {}, styles: [] } }
export const Highlight = () => null
