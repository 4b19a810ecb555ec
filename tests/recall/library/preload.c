/* A library that does nothing, to be loaded with LD_PRELOAD. */
extern const int recall_preloaded;
const int recall_preloaded = 1;
