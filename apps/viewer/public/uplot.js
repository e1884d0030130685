// @ts-check
// The bundle begins with uPlot as its author has minified it: a kilobyte less than what our bundler makes of it.
// @ts-expect-error it is there, and not to be imported
export default uPlot
