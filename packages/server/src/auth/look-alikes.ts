/**
 * Letters and digits that look like others, each with what it is taken for when names are compared. After the case was
 * folded, on decomposed text. Only scripts that names may be written in, and pairs that can be mistaken for each other
 * across a whole name or beside their like: from the confusables of UTS #39, and the capital forms of Cyrillic and Greek,
 * which that table maps by their small forms alone.
 */

/** Runs of "from" and "to", separated by spaces. */
const PAIRS = [
  // Digits and letters that can't be told apart in many typefaces.
  '0 o 1 l m rn æ ae œ oe ı i',
  // Cyrillic
  'а a в b г r е e з 3 к k м rn н h о o п n р p с c т t у y х x ь b ѕ s і i ј j ѵ v ү y ұ y һ h ӏ l ӕ ae ԁ d ԍ g ԛ q ԝ w ҽ e є e ѡ w',
  // Greek
  'α a β b γ y ε e ζ z η n ι i κ k μ rn ν v ο o ρ p τ t υ u χ x ω w ϳ j',
  // Armenian
  'օ o ո n ս u հ h ց g յ j լ l ք f',
  // Arabic letters and digits as different keyboards write them
  'ی ي ى ي ک ك ڪ ك ہ ه ھ ه ە ه ۰ ٠ ۱ ١ ۲ ٢ ۳ ٣ ۴ ٤ ۵ ٥ ۶ ٦ ۷ ٧ ۸ ٨ ۹ ٩',
  // Chinese characters and kana, which Japanese names mix
  '力 カ 工 エ 口 ロ 二 ニ 八 ハ 卜 ト 夕 タ へ ヘ 一 ー',
].join(' ');

const words = PAIRS.split(' ');
export const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  words.flatMap((from, index): [string, string][] => (index % 2 === 0 ? [[from, words[index + 1] ?? '']] : [])),
);
