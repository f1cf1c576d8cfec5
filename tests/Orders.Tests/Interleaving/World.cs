using System.Globalization;
using System.Reflection;
using System.Text;
using Shop.Contracts;
using Shop.Inventory.ReservingStock;
using Shop.Inventory.Stock;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.ReadingOrders;
using Shop.Orders.RecordingHistory;
using Shop.Orders.Tests.FulfillingOrder;

namespace Shop.Orders.Tests.Interleaving;

/// <summary>An event on a topic; a deadline carries the token it was scheduled with.</summary>
internal sealed record Entry(object Event, Guid? Token = null);

/// <summary>A call to the provider.</summary>
/// <param name="Asked">The state in which the payment asked for it.</param>
/// <param name="Answer">What the provider answered; null while the call has not arrived there.</param>
/// <param name="Abandoned">Nobody waits for the answer any more.</param>
internal sealed record Call(Payments.PaymentState Asked, Payments.ProviderAnswer? Answer = null, bool Abandoned = false);

/// <summary>Who reads which topic.</summary>
internal enum Reader
{
    OrderOfOrders,
    OrderOfReservations,
    OrderOfPayments,
    Inventory,
    Payments,
}

/// <summary>Everything that there is at a moment: the order, what the others hold, the topics, how far they are read, what is under way.</summary>
internal sealed class World
{
    private static readonly Func<object, object> ShallowCopy =
        typeof(object).GetMethod(nameof(MemberwiseClone), BindingFlags.Instance | BindingFlags.NonPublic)!.CreateDelegate<Func<object, object>>();

    private static readonly Type[] Types = [.. Topics.All.SelectMany(topic => topic.Events).Select(type => type.ClrType)];

    public World(Scenario scenario)
    {
        Scenario = scenario;
        Stock = new(SampleOrders.Lines[0].Sku, scenario.Stock);
        (Cancellations, Redeliveries, AbandonedCalls) = (scenario.Cancellations, scenario.Redeliveries, scenario.AbandonedCalls);
        (LostReservations, VoidsByHand, LostAnswers, Repairs) = (scenario.LostReservations, scenario.VoidsByHand, scenario.LostAnswers, scenario.Repairs);
        Order = SampleOrders.In(nameof(OrderFulfilment.Submitted));
        // what POST /api/orders commits
        var due = FulfilmentMachine.Now + FulfilmentMachine.Deadlines.Reservation;
        (Order.DeadlineToken, Order.DeadlineAt) = (Guid.NewGuid(), due);
        Scheduled.Add(Order.DeadlineToken.Value, (SampleOrders.ReservationDeadline, due.UtcDateTime));
        if (!scenario.SubmissionLost)
            OrdersTopic.Add(new(SampleOrders.OrderSubmitted));
    }

    public Scenario Scenario { get; }
    public Order Order { get; private set; }
    public Dictionary<Guid, (OrderDeadlinePassed Deadline, DateTime Due)> Scheduled { get; private set; } = [];

    public List<Entry> OrdersTopic { get; private set; } = [];
    public List<Entry> ReservationsTopic { get; private set; } = [];
    public List<Entry> PaymentsTopic { get; private set; } = [];
    public int[] Read { get; private set; } = new int[Enum.GetValues<Reader>().Length];

    public StockItem Stock { get; private set; }
    public Reservation? Reservation { get; set; }

    public Payments.Payment? Payment { get; set; }
    public PaymentProvider.Payment? AtProvider { get; set; }
    public int Captures { get; set; }
    public int Refunds { get; set; }
    public List<Call> Calls { get; private set; } = [];

    public int Cancellations { get; set; }
    public int Redeliveries { get; set; }
    public int AbandonedCalls { get; set; }
    public int LostReservations { get; set; }
    public int VoidsByHand { get; set; }
    public int LostAnswers { get; set; }
    public int Repairs { get; set; }

    public bool Ended => Order.CurrentState is nameof(OrderFulfilment.Fulfilled) or nameof(OrderFulfilment.Cancelled);

    public List<Entry> TopicOf(Reader reader) => reader switch
    {
        Reader.OrderOfReservations => ReservationsTopic,
        Reader.OrderOfPayments => PaymentsTopic,
        _ => OrdersTopic,
    };

    public World Clone()
    {
        var copy = (World)ShallowCopy(this);
        copy.Order = (Order)ShallowCopy(Order);
        copy.Scheduled = new(Scheduled);
        copy.OrdersTopic = [.. OrdersTopic];
        copy.ReservationsTopic = [.. ReservationsTopic];
        copy.PaymentsTopic = [.. PaymentsTopic];
        copy.Read = [.. Read];
        copy.Stock = (StockItem)ShallowCopy(Stock);
        copy.Reservation = Reservation is null ? null : (Reservation)ShallowCopy(Reservation);
        copy.Payment = Payment is null ? null : (Payments.Payment)ShallowCopy(Payment);
        copy.Calls = [.. Calls];
        return copy;
    }

    /// <summary>All that decides what can still happen. Two runs that come to the same key go on alike, so only one of them has to be followed.</summary>
    public string Key()
    {
        var key = new StringBuilder(200);
        key.Append(Order.CurrentState).Append(Order.Reason).Append(Order.Dispatched ? 'D' : '-').Append(Order.Captured ? 'C' : '-').Append(Order.DeadlineToken is null ? '-' : 'T');
        foreach (var token in Scheduled.Keys)
            key.Append(TokenKey(token));
        // what all readers of a topic have passed can only come again as a repetition, and counts in what the time machine tells
        var known = Redeliveries > 0 ? 0 : Passed(Reader.OrderOfOrders, Reader.Inventory, Reader.Payments);
        if (known > 0 && !Scenario.SubmissionLost)
            key.Append(Folded(OrdersTopic.Take(known), null));
        Append(OrdersTopic, known, Reader.OrderOfOrders, Reader.Inventory, Reader.Payments);
        Append(ReservationsTopic, Redeliveries > 0 ? 0 : Passed(Reader.OrderOfReservations), Reader.OrderOfReservations);
        Append(PaymentsTopic, 0, Reader.OrderOfPayments);
        key.Append(Code(Reservation?.Status)).Append(Code(Payment?.State)).Append(Payment?.CaptureWanted == true ? '!' : '-')
            .Append(Code(AtProvider?.Status)).Append(AtProvider?.Request is null ? 'V' : '-');
        foreach (var call in Calls)
            key.Append(Code<Payments.PaymentState>(call.Asked)).Append(Code(call.Answer?.Status)).Append(call.Abandoned ? 'A' : '-');
        key.Append('|');
        foreach (var count in (ReadOnlySpan<int>)[Captures, Refunds, Cancellations, Redeliveries, AbandonedCalls, LostReservations, VoidsByHand, LostAnswers, Repairs])
            key.Append((char)('0' + count));
        return key.ToString();

        int Passed(params ReadOnlySpan<Reader> readers)
        {
            var least = int.MaxValue;
            foreach (var reader in readers)
                least = Math.Min(least, Next(reader) ?? TopicOf(reader).Count);
            return least;
        }

        void Append(List<Entry> topic, int from, params ReadOnlySpan<Reader> readers)
        {
            key.Append('|');
            foreach (var entry in topic.Skip(from))
                key.Append(TypeKey(entry.Event)).Append(TokenKey(entry.Token));
            foreach (var reader in readers)
                key.Append((char)('0' + (Next(reader) ?? topic.Count) - from));
        }
    }

    /// <summary>The state that the time machine gives the order: from what Orders has published, and of what it reads the held payments that it has read.</summary>
    public string? Folded() => Folded(PaymentsTopic.Take(Read[(int)Reader.OrderOfPayments]), Folded(OrdersTopic, null));

    /// <summary>The next event that concerns the reader; it passes over the others, as endpoints do.</summary>
    public int? Next(Reader reader)
    {
        var topic = TopicOf(reader);
        for (var position = Read[(int)reader]; position < topic.Count; position++)
        {
            if (Handles(reader, topic[position].Event))
                return position;
        }
        return null;
    }

    /// <summary>Whether the reader does something with such an event.</summary>
    public static bool Handles(Reader reader, object @event) => reader switch
    {
        Reader.OrderOfOrders => @event is OrderSubmitted or CancellationRequested or OrderDeadlinePassed,
        Reader.Inventory => @event is OrderSubmitted or OrderConfirmed or OrderCancelled,
        Reader.Payments => @event is PaymentRequested or OrderConfirmed or OrderCancelled,
        _ => true,
    };

    private static string? Folded(IEnumerable<Entry> entries, string? from) =>
        entries.Aggregate(from, (state, entry) => OrderFolding.StateAfter(state, OrderTopics.TypeOf(entry.Event.GetType()).Name));

    private static char Code<T>(T? value) where T : struct, Enum => value is { } known ? (char)('a' + Convert.ToInt32(known, CultureInfo.InvariantCulture)) : '-';

    /// <summary>Two events of a type are the same but for their order's, and for deadlines the wait, which their token says.</summary>
    private static char TypeKey(object @event) => (char)('A' + Array.IndexOf(Types, @event.GetType()));

    /// <summary>Of a token it only matters whether the order still waits for it.</summary>
    private char TokenKey(Guid? token) => token is null ? '-' : token == Order.DeadlineToken ? 'c' : 's';
}
