/** Of the whole page: two schemes of colours, from a phone to a wide screen. It is named in the content security policy by its hash. */
export const pageStyle = `
:root{color-scheme:light dark;--back:#f4f6f8;--card:#fff;--ink:#18202a;--soft:#536172;--rule:#d5dce4;--link:#0b5cad;
--good:#12693a;--good-back:#e2f3e8;--attention:#7d4b00;--attention-back:#fdf0d5;--trouble:#a61b1b;--trouble-back:#fde5e3;
--node:#f7f9fb;--edge:#a8b4c2;--flow:#2f78c4}
@media (prefers-color-scheme:dark){:root{--back:#0f141a;--card:#171e26;--ink:#e4eaf1;--soft:#9eabba;--rule:#2c3743;--link:#7fb8f5;
--good:#6fd49a;--good-back:#123021;--attention:#f2bd62;--attention-back:#33270f;--trouble:#ff9c92;--trouble-back:#3d1a18;
--node:#1e2731;--edge:#4a5867;--flow:#5fa8ee}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.45 system-ui,sans-serif;overflow-wrap:break-word}
header,main{max-width:100rem;margin:0 auto;padding:0 1rem}
header{padding-top:1rem}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.5rem;z-index:1}
.bar{display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center;justify-content:space-between}
.bar p{margin:.2rem 0;min-width:0}
h1{font-size:1.35rem;margin:0;min-width:0;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:0 0 .6rem}
h3{font-size:.9rem;margin:1rem 0 .4rem;color:var(--soft);font-weight:600}
section{background:var(--card);border:1px solid var(--rule);border-radius:.6rem;padding:1rem;margin:0 0 1rem;min-width:0}
a{color:var(--link)}
.links{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:center}
button{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--soft);border-radius:.4rem;padding:.3rem .8rem;min-height:2.2rem;cursor:pointer}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
nav ul{display:flex;flex-wrap:wrap;gap:.1rem 1rem;list-style:none;margin:.6rem 0 1rem;padding:0}
nav a{display:inline-block;padding:.3rem 0;min-height:1.6rem}
.chip{display:inline-flex;align-items:center;padding:.25rem .8rem;border-radius:1rem;font-weight:600}
.chip.good{color:var(--good);background:var(--good-back)}
.chip.attention{color:var(--attention);background:var(--attention-back)}
.chip.trouble{color:var(--trouble);background:var(--trouble-back)}
.sign{font-weight:700;margin-right:.5rem}
.stale{background:var(--trouble-back);color:var(--trouble);border-radius:.4rem;padding:.5rem .8rem}
.quiet{color:var(--soft)}.good{color:var(--good)}.attention{color:var(--attention)}.trouble{color:var(--trouble)}
.findings{list-style:none;margin:0;padding:0;display:grid;gap:.5rem}
.findings li{border-left:.35rem solid currentColor;border-radius:.3rem;padding:.5rem .8rem}
.findings .good{background:var(--good-back)}.findings .attention{background:var(--attention-back)}.findings .trouble{background:var(--trouble-back)}
.findings p{margin:0;font-weight:600;overflow-wrap:anywhere}
.findings .advice{color:var(--ink);font-weight:400;margin-top:.15rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:1rem 0 0}
.figures div{border:1px solid var(--rule);border-radius:.4rem;padding:.5rem .8rem}
.figures dt{color:var(--soft);font-size:.85rem}
.figures dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.figures dd.note{font-size:.8rem;font-weight:400;color:var(--soft)}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.87rem}
th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--rule);vertical-align:top;white-space:nowrap}
thead th{color:var(--soft);font-weight:600}
tbody th{font-weight:600}
td:last-child{white-space:normal;min-width:16rem}
.number{text-align:right;font-variant-numeric:tabular-nums}
td.number:last-child,td:empty{min-width:0}
summary{cursor:pointer;color:var(--soft);font-size:.9rem;font-weight:600;padding:.4rem 0}
progress{width:6rem;height:.7rem;margin-right:.6rem;accent-color:var(--flow);vertical-align:middle}
.line{vertical-align:middle;margin-right:.5rem}
.line polyline{fill:none;stroke:var(--flow);stroke-width:1.5}
.group{display:flex;gap:.8rem;align-items:flex-start;margin:.3rem 0}
.group span{color:var(--soft);font-size:.85rem;white-space:nowrap;min-width:3.5rem}
.squares rect{fill:var(--good)}.squares rect.attention{fill:var(--attention)}.squares rect.trouble{fill:var(--trouble)}
.graph{display:block}
.graph text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:var(--soft)}
.graph .name{fill:var(--ink);font-weight:600}
.graph .wrong{fill:var(--attention);font-weight:600}
.graph rect{fill:var(--node);stroke:var(--edge)}
.graph .source rect,.graph .sink rect{fill:var(--card);stroke:var(--soft)}
.graph .attention rect{stroke:var(--attention);stroke-width:2}
.edge{fill:none;stroke:var(--edge);stroke-width:1.2}
.edge.some,.edge.much,.edge.most{stroke:var(--flow)}
.edge.much{stroke-width:2.2}.edge.most{stroke-width:3.6}
form{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end}
label{display:grid;gap:.2rem;color:var(--soft);font-size:.85rem;min-width:0}
.wide{flex:1 1 16rem}
input,select{font:inherit;font-size:1rem;color:var(--ink);background:var(--back);border:1px solid var(--soft);border-radius:.4rem;padding:.35rem .5rem;min-height:2.2rem;width:100%;max-width:100%}
@media (max-width:40rem){td:last-child{min-width:30rem}td.number:last-child,td:empty{min-width:0}section{padding:.8rem .7rem}header,main{padding-left:.6rem;padding-right:.6rem}header{padding-top:.6rem}}
@media print{section{break-inside:avoid}nav,.links{display:none}}
`
