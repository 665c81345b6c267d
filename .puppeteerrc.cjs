// The browser is found or installed by scripts/setup.mjs; puppeteer itself never downloads one.
module.exports = { skipDownload: true };
