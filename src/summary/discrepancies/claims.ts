/** What a final message claims, as far as evidence can contradict it. Careful rather than complete: a false alarm costs trust. */
export interface Claims {
  testsPass: string | undefined;
  testsRan: string | undefined;
  noNetwork: string | undefined;
  noChanges: string | undefined;
}

/** A sentence with one of these says something else, or not for sure. */
const DOUBT =
  /\b(?:not|n't|never|no|fail(?:s|ed|ing)?|should|would|could|will|may|might|if|once|until|unless|before|cannot|unable|skip(?:s|ped)?)\b|n't\b|未|没有|无法|失败|应该|应当|可能|如果|不能|之前|将/iu;
const TESTS_PASS =
  /\b(?:tests?|specs?|test suite|checks)\b[^.!?\n]{0,60}\b(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|(?:is|are|was|were) green)\b|\bpass(?:es|ed|ing)?\b[^.!?\n]{0,20}\b(?:tests|specs)\b|测试[^。！\n]{0,20}(?:通过|成功)/iu;
const TESTS_RAN =
  /\b(?:I|we)(?: have|'ve)? (?:re-?)?(?:ran|run|executed)\b[^.!?\n]{0,40}\b(?:tests?|specs?|test suite)\b|我?(?:运行|执行)了[^。！\n]{0,10}测试/iu;
const NO_NETWORK =
  /\b(?:without|did(?: not|n't) (?:make|use|open|need)|never (?:made|used|opened)|made|used|opened)(?: any)?(?: no)?(?<=\b(?:without|not|n't|never|no)\b[^.]{0,20}) (?:external |outbound )?(?:network|internet)\b|\bno (?:external |outbound )?(?:network|internet) (?:requests?|connections?|traffic|calls?|access) (?:was|were|has been|have been)? ?(?:made|sent|opened|used)\b|\bnothing (?:was|is|has been) (?:sent|uploaded|transmitted)\b|(?:没有|未)(?:进行|发起|使用|访问)(?:过)?(?:任何)?(?:网络|外部连接)|没有(?:发送|上传)任何/iu;
const NO_CHANGES =
  /\b(?:no files? (?:was|were|has been|have been) (?:changed|modified|touched|written)|(?:I |we )?(?:made no changes|changed nothing|modified nothing)|did(?: not|n't) (?:change|modify|touch|edit) (?:anything|any files?))\b(?![^.!?\n]*\b(?:else|other|outside|besides|beyond|except|in|under|within|about|to|of)\b)|没有(?:修改|改动|更改)任何(?:文件|内容)(?![^。\n]*(?:其他|以外|之外))/iu;

export function claimsOf(message: string | null): Claims {
  const sentences = (message ?? "").split(/(?<=[.!?。！？])\s+|[\n。！？]/u).filter((one) => one.trim() !== "");
  const first = (pattern: RegExp, doubtful: boolean): string | undefined =>
    sentences.find((one) => pattern.test(one) && (doubtful || !DOUBT.test(one)))?.trim();
  return {
    testsPass: first(TESTS_PASS, false),
    testsRan: first(TESTS_RAN, false),
    noNetwork: first(NO_NETWORK, true),
    noChanges: first(NO_CHANGES, true),
  };
}
