using System.Numerics;
using Shop.Contracts;
using Shop.Inventory.ReservingStock;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.RepairingOrders;
using Shop.Orders.Tests.FulfillingOrder;
using Shop.PaymentProvider;

namespace Shop.Orders.Tests.Interleaving;

/// <summary>
/// Follows an order through everything that can happen next, again and again, until nothing can: every run of the scenario. Where two
/// runs have come to the same world they are followed as one (explicit-state model checking; Clarke, Emerson and Sistla, ACM TOPLAS 8, 1986),
/// so billions of runs cost some ten thousands of steps, each of which is taken by the real state machine and the real deciders.
/// </summary>
internal sealed class Explorer(FulfilmentMachine machine)
{
    private readonly Dictionary<string, BigInteger?> _runsFrom = new(StringComparer.Ordinal);
    private readonly Stack<string> _trace = new();

    /// <summary>Different worlds that were seen.</summary>
    public int Worlds => _runsFrom.Count;

    /// <summary>Steps that were taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Worlds in which everything had ended; in each of them the books were checked.</summary>
    public int Ends { get; private set; }

    /// <summary>Ways in which the orders ended.</summary>
    public SortedSet<string> Outcomes { get; } = new(StringComparer.Ordinal);

    /// <summary>Follows every run from <paramref name="world"/> on.</summary>
    /// <returns>How many there are.</returns>
    /// <exception cref="InvalidOperationException">One of them ends wrong, or fails, or never ends; the message tells how it got there.</exception>
    public async Task<BigInteger> ExploreAsync(World world)
    {
        var key = world.Key();
        if (_runsFrom.TryGetValue(key, out var known))
            return known ?? throw Wrong("goes round in circles");
        _runsFrom.Add(key, null);
        // where the topic has lost what a history begins with, there is none
        if (!world.Scenario.SubmissionLost && world.Folded() != world.Order.CurrentState)
            throw Wrong($"folds to {world.Folded()} and is {world.Order.CurrentState}");

        var moves = Moves(world).ToList();
        var runs = BigInteger.Zero;
        if (IsQuiet(world) && (world.Ended || world.Repairs == 0))
        {
            Check(world);
            Ends++;
            runs = BigInteger.One;
        }
        foreach (var (name, move) in moves)
        {
            var next = world.Clone();
            _trace.Push(name);
            try
            {
                await move(next);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw Wrong($"fails: {e.Message}", e);
            }
            Steps++;
            runs += await ExploreAsync(next);
            _trace.Pop();
        }
        _runsFrom[key] = runs;
        return runs;
    }

    private IEnumerable<(string Name, Func<World, Task> Move)> Moves(World world)
    {
        foreach (var reader in Enum.GetValues<Reader>())
        {
            var topic = world.TopicOf(reader);
            if (world.Next(reader) is { } position)
            {
                yield return ($"{reader} reads {NameOf(topic[position])}", next => ReadAsync(next, reader, position));
                if (world.LostAnswers > 0 && (reader is Reader.OrderOfReservations or Reader.OrderOfPayments))
                    yield return ($"{reader} loses {NameOf(topic[position])}", next => Do(() => (next.Read[(int)reader], next.LostAnswers) = (position + 1, next.LostAnswers - 1)));
            }
            for (var earlier = 0; world.Redeliveries > 0 && earlier < world.Read[(int)reader]; earlier++)
            {
                var entry = topic[earlier];
                if (World.Handles(reader, entry.Event))
                    yield return ($"{reader} reads {NameOf(entry)} again", next => { next.Redeliveries--; return HandAsync(next, reader, entry); });
            }
        }
        foreach (var (token, (deadline, _)) in world.Scheduled)
            yield return ($"the deadline for {deadline.WaitingFor} passes", next => Do(() => { next.Scheduled.Remove(token); next.OrdersTopic.Add(new(deadline, token)); }));
        if (world.Cancellations > 0 && world.Order.CanBeCancelled)
            yield return ("the shopper cancels", next => Do(() => { next.Cancellations--; next.OrdersTopic.Add(new(SampleOrders.CancellationRequested)); }));
        // repairs are for what has gone wrong: an operator may come at any time, but where something was lost only then
        if (world.Repairs > 0 && OrderRepair.WordsOf(world.Order) is { Count: > 0 } words && (world.Scenario.LostAnswers == 0 || world.LostAnswers < world.Scenario.LostAnswers))
            yield return ("an operator repairs", next => Do(() => { next.Repairs--; next.OrdersTopic.AddRange(words.Select(word => new Entry(word))); }));
        if (world.LostReservations > 0 && world.Reservation is { Status: ReservationStatus.Reserved, Lines: var lines })
            yield return ("the reservation is lost", next => Do(() => { next.LostReservations--; Neighbours.Release(next, lines); }));
        if (world.Payment?.State == Payments.PaymentState.Held)
        {
            yield return ("an operator approves", next => Do(() => Neighbours.Review(next, approve: true)));
            yield return ("an operator rejects", next => Do(() => Neighbours.Review(next, approve: false)));
        }
        if (world.VoidsByHand > 0 && world.AtProvider is { Status: PaymentStatus.Authorized })
            yield return ("somebody voids at the provider", next => Do(() => { next.VoidsByHand--; Neighbours.Change(next, PaymentAction.Void); }));
        foreach (var move in CallsOfPayments(world))
            yield return move;
    }

    private static IEnumerable<(string Name, Func<World, Task> Move)> CallsOfPayments(World world)
    {
        if (NeedsCall(world))
            yield return ($"Payments calls while {world.Payment!.State}", next => Do(() => next.Calls.Add(new(next.Payment!.State))));
        foreach (var call in world.Calls)
        {
            if (call.Answer is null)
                yield return ($"the provider is asked while {call.Asked}", next => Do(() =>
                {
                    var answer = Neighbours.ProviderHandles(next, call.Asked);
                    next.Calls.Remove(call);
                    if (!call.Abandoned)
                        next.Calls.Add(call with { Answer = answer });
                }));
            else
                yield return ($"the provider has answered {call.Answer.Status}", next => Do(() => Neighbours.AnswerArrives(next, call)));
            if (world.AbandonedCalls > 0 && !call.Abandoned)
                yield return ($"the call of {call.Asked} is given up", next => Do(() =>
                {
                    next.AbandonedCalls--;
                    next.Calls.Remove(call);
                    if (call.Answer is null)
                        next.Calls.Add(call with { Abandoned = true });
                }));
        }
    }

    private async Task ReadAsync(World world, Reader reader, int position)
    {
        world.Read[(int)reader] = position + 1;
        var entry = world.TopicOf(reader)[position];
        await HandAsync(world, reader, entry);
        if (world.Scenario.Doubled)
            await HandAsync(world, reader, entry);
    }

    private async Task HandAsync(World world, Reader reader, Entry entry)
    {
        if (reader == Reader.Inventory)
        {
            Neighbours.InventoryHandles(world, entry.Event);
            return;
        }
        if (reader == Reader.Payments)
        {
            Neighbours.PaymentsHandles(world, entry.Event);
            return;
        }
        var ended = world.Ended;
        machine.Take(world.Order, world.Scheduled);
        if (entry.Token is { } token)
            await machine.WhenDeadlinePassesAsync(token, (OrderDeadlinePassed)entry.Event);
        else
            await machine.WhenAsync(entry.Event);
        machine.Give(world.Order, world.Scheduled);
        world.OrdersTopic.AddRange(machine.Published.Select(published => new Entry(published)));
        if (ended && machine.Published.Count > 0)
            throw new InvalidOperationException($"The order had ended, and published {machine.Published[0].GetType().Name}");
    }

    /// <summary>Nothing is under way and nobody has anything to do: only what was kept for a surprise may still happen.</summary>
    private static bool IsQuiet(World world) =>
        Enum.GetValues<Reader>().All(reader => world.Next(reader) is null)
        && world.Calls.Count == 0 && !NeedsCall(world) && (world.Scheduled.Count == 0 || world.Ended);

    private void Check(World world)
    {
        var fulfilled = world.Order.CurrentState == nameof(OrderFulfilment.Fulfilled);
        var (dispatched, kept) = (world.Reservation?.Status == ReservationStatus.Dispatched, world.Captures - world.Refunds);
        Must(world.Ended, $"the order stays {world.Order.CurrentState}");
        Must(world.Scheduled.Count == 0 && world.Order is { DeadlineToken: null, DeadlineAt: null }, "a deadline is left");
        Must(world.Reservation?.Status != ReservationStatus.Reserved && world.Stock.Reserved == 0, "stock stays reserved");
        Must(world.Stock.OnHand + world.Stock.Dispatched == world.Scenario.Stock && dispatched == (world.Stock.Dispatched == 2), "the stock does not add up");
        Must(world.Captures <= 1 && world.Refunds <= world.Captures, "money moved twice");
        Must(world.AtProvider?.Status != PaymentStatus.Authorized, "the provider holds money for ever");
        Must((kept == 1) == fulfilled, fulfilled ? "the order is fulfilled without the money" : "the money is kept though the order is cancelled");
        Must(dispatched || !fulfilled, "the order is fulfilled without the goods");
        Must(!dispatched || fulfilled || world.Scenario.VoidsByHand > 0 && world.Order.Reason!.EndsWith("the goods had left already", StringComparison.Ordinal), "the goods left for a cancelled order");
        Outcomes.Add($"{world.Order.CurrentState}{(world.Order.Reason is { } reason ? $": {reason}" : "")}");
    }

    private void Must(bool holds, string otherwise)
    {
        if (!holds)
            throw Wrong($"ends wrong: {otherwise}");
    }

    private InvalidOperationException Wrong(string what, Exception? inner = null) =>
        new($"This run {what}:\n  {string.Join("\n  ", _trace.Reverse())}", inner);

    private static bool NeedsCall(World world) => world.Payment is { } payment && Payments.PaymentDecider.NeedsProvider(payment.State)
        && !world.Calls.Exists(call => call.Asked == payment.State && !call.Abandoned);

    private static string NameOf(Entry entry) => entry.Event is OrderDeadlinePassed deadline ? $"the deadline for {deadline.WaitingFor}" : entry.Event.GetType().Name;

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}
