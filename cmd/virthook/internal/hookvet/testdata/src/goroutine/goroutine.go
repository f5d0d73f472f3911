package main

import (
	"context"
	"sync"

	"github.com/virthook/virthook/sdk"
)

func main() {
	go func() {}() // no handler
	sdk.Main(sdk.OnAny(handle))
}

func handle(context.Context, *sdk.Call) error {
	go work()   // want `a panic in this goroutine, in reach of the handler of OnAny, ends the hook past the SDK, and its error is lost; use sdk.Go \(goroutine\)`
	go func() { // want `a panic in this goroutine`
		work()
	}()
	go func() { // want `a panic in this goroutine`
		defer work()
		work()
	}()
	go func() { // want `a panic in this goroutine`
		work()
		defer func() { recover() }() // too late
	}()
	var wg sync.WaitGroup
	wg.Go(work) // want `a panic in this goroutine`
	wg.Go(safe)
	wg.Wait()
	go safe()
	go func() {
		defer wg.Done()
		defer keep()
		work()
	}()
	func() { work() }()
	return nil
}

func work() {}

func safe() {
	defer func() {
		if v := recover(); v != nil {
			work()
		}
	}()
	work()
}

func keep() { recover() }
