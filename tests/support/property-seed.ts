import fc from "fast-check";

/**
 * Property tests try the same cases in every run, so that a red run tells of the change at hand. `make test-full` sets the
 * variable and looks for new counterexamples.
 */
if (process.env["OPENCODE_CAPTURE_RANDOM_PROPERTIES"] === undefined) fc.configureGlobal({ seed: 20_261_122 });
