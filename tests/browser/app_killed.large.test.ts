// A tab that is killed fifty times at random moments. On a fake model.
import { it } from "vitest";
import { killAgainAndAgain } from "../app/fake/killed.ts";
import { FAKE_SITE } from "../app/fake/site.ts";
import { useSite } from "../support/browser.ts";

const site = useSite({ folder: FAKE_SITE });

it("a tab that is killed 50 times loses at most the last half second each time", async () => {
  await killAgainAndAgain(site.browser, site.origin, 50);
});
