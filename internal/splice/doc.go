// Package splice carries an edit of the typed view of a document over to the
// document that the view was made from, byte for byte.
//
// The typed view of libvirt's XML is a lossy mirror: what it does not know, and
// comments, order, quotes and white space, are not in it. So the view is written
// out twice, before and after an edit. What differs between the two is what the
// editor meant. That alone is applied to the original; all other bytes stay.
//
// Three trees of byte spans take part, and two questions are asked of the children
// of an element, name by name: which element of the original did one of before come
// from (see origins), and which element of before did one of after come from (see
// pair). The answers are guesses where nothing tells elements apart. Whoever calls
// Apply reads the result again and compares it with after, which Check helps with.
//
// Values is a shorter way, for an edit that only puts values in the place of others.
package splice
