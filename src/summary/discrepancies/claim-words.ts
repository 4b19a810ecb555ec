/**
 * The words by which a final message claims something, as data: English and Chinese. Careful rather than complete, since a
 * false alarm costs trust. Groups: `path` a file, `paths` several, `cmd` a command.
 */

const EXTENSIONS =
  "md|txt|rst|adoc|py|pyi|js|mjs|cjs|jsx|ts|tsx|vue|json|jsonl|yaml|yml|toml|cfg|ini|conf|env|sh|bash|zsh|html|css|scss|csv|tsv|xml|svg|log|c|h|cc|cpp|hpp|rs|go|java|kt|rb|php|pl|lua|sql|lock|patch|diff|diag|out|bin|zip|tar|gz|whl|pdf|png|jpg|gif";

/** A name that can only be a file's or, with a slash behind it, a directory's. */
const PATH = String.raw`(?:(?:\.{0,2}/)?(?:[\w@+.-]+/)*[\w@+.-]*\.(?:${EXTENSIONS})(?![\w/])|(?:\.{0,2}/)?(?:[\w@+.-]+/)+[\w@+.-]*|(?:[\w@+-]+/)*(?:Makefile|Dockerfile|Containerfile|README|LICENSE|VERSION|CHANGELOG)\b)`;
const QUOTED = `[\`"'“「]?(?<path>${PATH})[\`"'”」]?`;
const ONE = `[\`"'“「]?${PATH}[\`"'”」]?`;
const LIST = `(?<paths>${ONE}(?:(?:, | and |, and |、|和|与)${ONE})*)`;
const COMMAND = "`(?<cmd>[^`\\n]{2,300})`";
const ADVERB = "(?: (?:also|then|now|just|finally|already|successfully))?";
/** The agent itself, with what may stand before the verb. */
const I = String.raw`(?:\b(?:I|we)(?:'ve| have)?${ADVERB}|(?:,| and| then))`;
/** Or nobody, at the beginning: "Updated a.py". */
const SOMEBODY = `(?:${I}|^(?:[-*] )?)`;

const all = (...sources: string[]): RegExp[] => sources.map((source) => new RegExp(source, "iu"));

/** A sentence with one of these is no statement of what was. */
export const DOUBT =
  /\b(?:should|would|could|will|may|might|if|whether|once|until|unless|before|please|suggest(?:ed)?)\b|应该|应当|可能|如果|是否|之前|(?<!已)将|请|建议|不会/iu;

/** A part of a sentence with one of these says the contrary. */
export const DENIAL =
  /\b(?:not|never|no|fail(?:s|ed|ing)?|cannot|unable|skip(?:s|ped)?|neither|nor)\b|n't\b|未|没有|没能|无法|失败|不能/iu;

/** Where one part of a sentence ends and the next begins. */
export const PART = /[,，：]|\b(?:and|but)\b/u;

/** Praise that looks like a doubt; it is taken out first. */
export const PRAISE =
  /\b(?:with(?:out)? (?:any |a single )?|no |zero |0 )(?:failures?|errors?|warnings?|issues?|problems?|failed|failing)\b|(?:没有|无|未发现)(?:任何)?(?:问题|错误|失败|报错|警告)/giu;

export const TESTS_PASS = all(
  String.raw`\b(?:tests?|specs?|test suite|checks)\b[^.!?\n]{0,60}\b(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|(?:is|are|was|were) (?:all )?green)\b`,
  String.raw`\bpass(?:es|ed|ing)?\b[^.!?\n]{0,20}\b(?:tests|specs)\b`,
  String.raw`\ball (?:tests|specs) (?:are|were) (?:green|ok|successful)\b`,
  "测试[^。！\\n]{0,20}(?:通过|成功)|通过(?:了|全部|所有)[^。！\\n]{0,10}测试",
);

export const TESTS_RAN = all(
  String.raw`\b(?:I|we)(?: have|'ve)? (?:re-?)?(?:ran|run|executed)\b[^.!?\n]{0,40}\b(?:tests?|specs?|test suite)\b`,
  String.raw`\b(?:tests?|test suite) (?:was|were|has been|have been) (?:run|executed)\b`,
  "(?:运行|执行|跑)(?:了|过)[^。！\\n]{0,10}测试|测试(?:已经|已)?(?:运行|执行)(?:过|完毕|完成)",
);

export const NO_NETWORK = all(
  String.raw`\b(?:without|did(?: not|n't) (?:make|use|open|need)|never (?:made|used|opened)|made|used|opened)(?: any| the)?(?: no)?(?<=\b(?:without|not|n't|never|no)\b[^.]{0,20}) (?:external |outbound )?(?:network|internet)\b`,
  String.raw`\bno (?:external |outbound )?(?:network|internet) (?:requests?|connections?|traffic|calls?|access) (?:was|were|has been|have been)? ?(?:made|sent|opened|used)\b`,
  String.raw`\b(?:nothing|no data) (?:was|is|has been|have been) (?:sent|uploaded|transmitted)\b(?! to (?!any))`,
  String.raw`\b(?:did(?: not|n't)|never) (?:contact(?:ed)?|connect(?:ed)? to|reach(?:ed)?) (?:any|anything|the)\b[^.!?\n]{0,20}\b(?:hosts?|servers?|network|internet|outside)\b`,
  String.raw`\b(?:everything|all (?:of it|work)) (?:stayed|was done|happened|ran) (?:locally|offline)\b`,
  "(?:没有|未)(?:进行|发起|使用|访问|建立)(?:过)?(?:任何)?(?:网络|外部连接|外网)|没有(?:发送|上传)(?:过)?任何|(?:没有|未)(?:联系|连接)(?:过)?(?:任何)?(?:外部|主机|服务器)|全程(?:离线|未联网)",
);

/** What follows and makes it mean a part only. */
const NOT_A_PART = String.raw`(?![^.!?\n]*\b(?:else|other|outside|besides|beyond|except|in|under|within|about|to|of)\b)`;

export const NO_CHANGES = all(
  String.raw`\b(?:no files? (?:was|were|has been|have been) (?:changed|modified|touched|written|edited)|(?:I |we )?(?:made no changes|changed nothing|modified nothing)|(?:(?:did|have)(?: not|n't)|never) (?:changed?|modify|modified|touch(?:ed)?|edit(?:ed)?) (?:anything|any files?))\b${NOT_A_PART}`,
  String.raw`\b(?:nothing|no file) (?:was|has been) (?:changed|modified|touched|edited)\b${NOT_A_PART}`,
  String.raw`\b(?:left|leaving) (?:everything|all files) (?:as (?:it|they) (?:was|were)|unchanged|untouched)\b`,
  "没有(?:修改|改动|更改)(?:过)?任何(?:文件|内容)(?![^。\\n]*(?:其他|以外|之外))|未(?:修改|改动|更改)任何(?:文件|内容)(?![^。\\n]*(?:其他|以外|之外))",
);

/** Changes beside those that are named. */
export const NOTHING_ELSE = all(
  String.raw`\b(?:nothing else (?:was|is|has been) (?:changed|touched|modified|edited)|(?:changed|touched|modified|edited) nothing else|no other files? (?:was|were|has been|have been) (?:changed|touched|modified|edited))\b`,
  "(?:没有|未)(?:修改|改动|更改)(?:过)?(?:任何)?其他(?:任何)?(?:文件|内容)|其他(?:文件|内容)(?:均|都)?(?:没有|未)(?:被)?(?:修改|改动|变动)",
);

export const ONLY_CHANGED = all(
  String.raw`\bonly (?:the files? )?${LIST} (?:(?:was|were|has been|have been) )?(?:changed|modified|edited|touched)\b`,
  String.raw`\b(?:only|just) (?:changed|modified|edited|touched) (?:the files? )?${LIST}`,
  String.raw`\b(?:changed|modified|edited|touched) only (?:the files? )?${LIST}`,
  String.raw`\bthe only files? (?:that )?(?:I |we )?(?:have )?(?:changed|modified|edited|touched) (?:is|are|was|were) ${LIST}`,
  `(?:只|仅)(?:修改|改动|更改|编辑|改)了(?:文件)?\\s*${LIST}`,
  `唯一(?:被)?(?:修改|改动|更改)的文件是\\s*${LIST}`,
);

export const UNTOUCHED = all(
  String.raw`${LIST} (?:is|are|was|were|remains?|remained|stays?|stayed)(?: left)? (?:untouched|unchanged|unmodified|as (?:it|they) (?:was|were))\b`,
  String.raw`\b(?:did(?: not|n't)|never) (?:touch|touched|change|changed|modify|modified|edit|edited) ${LIST}`,
  `${LIST}\\s*(?:没有|未)(?:被)?(?:修改|改动|变动|动过)`,
  `(?:没有|未)(?:修改|改动|动过)\\s*${LIST}`,
);

export const WROTE = all(
  String.raw`${SOMEBODY} ?(?:wrote|written|created|saved|updated|modified|edited|generated|added|rewrote|rewritten) (?:(?:the|a|an|new|file|report|script|test file|missing|called|named) )*${QUOTED}`,
  String.raw`${SOMEBODY} ?(?:wrote|written|saved|stored|documented|recorded|added|logged)\b[^.!?\n]{1,80}? (?:to|in|into|as) (?:the )?(?:new )?(?:file )?${QUOTED}`,
  String.raw`${QUOTED} (?:is|was|has been|are|were)(?: now| also)? (?:written|created|saved|updated|generated|filled in|rewritten|added|made)\b`,
  String.raw`^\w+(?: \w+)? (?:saved|written|stored|documented|recorded) (?:to|in|into|as) ${QUOTED}`,
  String.raw`\b(?:report|explanation|summary|result|results|notes|output|documentation|findings) (?:is|are|was|were|has been|have been)(?: now)?(?: saved| written| stored| documented| recorded)? (?:in|to|into|as) ${QUOTED}`,
  `(?:创建|新建|写入|保存|更新|修改|生成|编辑|添加|重写)(?:了|好了)?(?:新的?)?(?:文件|报告)?\\s*${QUOTED}`,
  `(?:写入|保存到|写到|写进|记录在|写在|保存在|记录到)(?:了)?\\s*${QUOTED}`,
  `${QUOTED}\\s*(?:已经|已|现已)(?:写好|创建|生成|更新|保存|写入|完成|新建|重写)`,
);

export const RAN = all(
  String.raw`${I} ?(?:re-?)?(?:ran|run|executed)(?: the command)? ${COMMAND}`,
  String.raw`^(?:[-*] )?(?:re-?)?(?:ran|executed) ${COMMAND}`,
  String.raw`${COMMAND} (?:now )?(?:pass(?:es|ed)|succeed(?:s|ed)|ran|was run|was executed|exit(?:s|ed) with|prints|printed|reports|reported|finished|completed|says|said)\b`,
  `(?:运行|执行|跑)(?:了|过)(?:命令)?\\s*${COMMAND}`,
  `${COMMAND}\\s*(?:已|已经)?(?:通过|运行成功|执行成功|执行完毕|成功)`,
);
