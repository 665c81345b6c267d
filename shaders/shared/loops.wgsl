// A bound for loops that end by a break: more rounds than any of them takes. A front end that sees a constant bound needs no counter of its own
// to be sure that the loop ends, which Tint adds to every other loop, two words to be carried in each round.
const MOST_ROUNDS = 1073741824u;
