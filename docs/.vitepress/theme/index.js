// VitePress' own theme, with the system's fonts.
import theme from "vitepress/theme-without-fonts";
import "./site.css";

export default theme;
