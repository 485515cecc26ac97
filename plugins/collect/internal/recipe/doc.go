// Package recipe is what most collectors are made of: a list of files, of
// device attributes and of commands, each with the name of its item. From one
// [List] come the declaration of what is needed, the plan and the collection,
// so that the three agree.
//
// What a machine does not have is absent: a missing file, a missing program,
// and a command whose reason to run ([Command].If) is not there, such as a
// daemon's socket. Every command has a time limit of its own.
package recipe
