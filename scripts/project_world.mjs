// Countries of Natural Earth (world-atlas, 1:110m) on a flat map: one line of JSON, ISO 3166-1 numeric code to path.
// Projected here and not in pages: unprojected shapes draw lines across the antimeridian.
import { readFile } from "node:fs/promises";
import { geoNaturalEarth1, geoPath } from "d3-geo";
import { feature } from "topojson-client";

const [WIDTH, HEIGHT] = [960, 470];
const atlas = JSON.parse(await readFile("node_modules/world-atlas/countries-110m.json", "utf-8"));
const countries = feature(atlas, atlas.objects.countries).features;
// Nobody lives in Antarctica, and it takes a fifth of the map.
const shown = countries.filter((country) => country.id !== "010");
const projection = geoNaturalEarth1().fitSize([WIDTH, HEIGHT], { type: "FeatureCollection", features: shown });
const draw = geoPath(projection).digits(1);
const paths = shown.filter((country) => country.id).map((country) => [country.id, draw(country)]);
const others = shown.filter((country) => !country.id).map((country) => draw(country));
console.log(JSON.stringify({ width: WIDTH, height: HEIGHT, paths: Object.fromEntries(paths), others }));
