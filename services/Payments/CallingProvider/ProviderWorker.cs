using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;
using Shop.Messaging.Workers;

namespace Shop.Payments.CallingProvider;

/// <summary>
/// Calls the provider for payments that are due, many at a time, and writes the answers, many in one transaction. A crash anywhere
/// between claim and write repeats the call when its lease has ended, in whichever instance sees it first, under the same key.
/// </summary>
internal sealed partial class ProviderWorker(ProviderCalls calls, PaymentProviderClient provider, ProviderCircuit circuit, WorkSignal signal,
    TimeProvider time, ILogger<ProviderWorker> logger) : IWorker
{
    /// <summary>How long the provider may take for an answer.</summary>
    internal static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(4);

    /// <summary>Room for the calls of a payment's state that are made for the first time; a provider that hangs must not take all our memory and sockets.</summary>
    private const int FirstCalls = 1_024;

    /// <summary>Room for repeated calls, apart: payments for which the provider hangs do not stand in the way of those that were never asked for.</summary>
    private const int RepeatedCalls = 128;

    /// <summary>Calls worth a transaction to claim them while others are in flight; fewer wait for the poll.</summary>
    private const int MinClaim = 32;

    /// <summary>Answers written in one transaction.</summary>
    private const int MaxWrite = 256;

    /// <summary>The net under the signal: retries that became due, other instances' commits, and calls to take over.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Characters that are kept of a reason.</summary>
    private const int MaxError = 1_000;

    private static readonly ActivitySource Activities = new("Shop.Payments");

    /// <summary>Why answers could not be written; the worker begins anew for it, so that it is told as every worker's failure is.</summary>
    private Exception? _notWritten;

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        var answers = Channel.CreateUnbounded<CallResult>(new() { SingleReader = true });
        CallRoom firstRoom = new(FirstCalls, time), repeatedRoom = new(RepeatedCalls, time);
        _notWritten = null;
        var writing = WriteAsync(answers.Reader);
        try
        {
            var signalled = true;
            while (!stoppingToken.IsCancellationRequested)
            {
                if (Volatile.Read(ref _notWritten) is { } failure)
                    ExceptionDispatchInfo.Throw(failure);
                firstRoom.GiveUpHanging();
                repeatedRoom.GiveUpHanging();
                var (first, repeated) = (circuit.Allowed(firstRoom.Free), circuit.Allowed(repeatedRoom.Free));
                if (first >= (signalled ? MinClaim : 1) || repeated >= (signalled ? MinClaim : 1))
                {
                    // only this loop takes room, so what was there before the claim is there now
                    var claimed = await calls.ClaimAsync(first, repeated, stoppingToken);
                    foreach (var payment in claimed)
                        _ = CallAsync(payment, IsFirst(payment) ? firstRoom : repeatedRoom, answers.Writer, stoppingToken);
                    var taken = claimed.Count(IsFirst);
                    firstRoom.Claimed(first, taken);
                    repeatedRoom.Claimed(repeated, claimed.Count - taken);
                }
                signalled = await signal.WaitAsync(PollInterval, stoppingToken);
            }
        }
        finally
        {
            await Task.WhenAll(firstRoom.Closed(), repeatedRoom.Closed());
            answers.Writer.Complete();
            await writing;
        }
    }

    private static bool IsFirst(Payment payment) => payment.Attempts == 1;

    private async Task CallAsync(Payment payment, CallRoom room, ChannelWriter<CallResult> answers, CancellationToken stoppingToken)
    {
        using var activity = Activities.StartActivity($"{payment.State} payment", ActivityKind.Internal, payment.TraceParent);
        var place = room.Enter(stoppingToken);
        answers.TryWrite(await CallAsync(payment, place, stoppingToken));
        if (place.Leave() == MinClaim)
            signal.Set();
    }

    private async Task<CallResult> CallAsync(Payment payment, CallRoom.Place place, CancellationToken stoppingToken)
    {
        try
        {
            return new(payment, await provider.CallAsync(payment, place.CancellationToken));
        }
        catch (OperationCanceledException)
        {
            return new(payment, null, stoppingToken.IsCancellationRequested ? "The service stopped during the call"
                : place.GaveUp ? "The provider did not answer before others needed the room" : "The provider did not answer in time");
        }
        catch (Exception e)
        {
            // whatever it was, there is no answer: the call is repeated, and the reason kept
            return new(payment, null, PaymentProviderClient.Readable(e.GetBaseException().Message, MaxError));
        }
    }

    /// <summary>Not stopped with the service: what was answered is written before the process ends, or its calls would have to be repeated.</summary>
    private async Task WriteAsync(ChannelReader<CallResult> answers)
    {
        var batch = new List<CallResult>(MaxWrite);
        while (await answers.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < MaxWrite && answers.TryRead(out var result))
                batch.Add(result);
            await WriteAsync(batch);
            if (batch.Where(result => result.Error is not null).ToList() is { Count: > 0 } failed)
                CallsFailed(logger, failed.Count, failed[0].Payment.State, failed[0].Payment.PaymentId, failed[0].Payment.Attempts, failed[0].Error!);
            batch.Clear();
        }
    }

    /// <summary>Writes answers; where one of them cannot be written, the others all the same.</summary>
    private async Task WriteAsync(IReadOnlyList<CallResult> results)
    {
        try
        {
            await calls.WriteAsync(results, CancellationToken.None);
        }
        catch (Exception e) when (results.Count > 1 && !TransientErrors.IsTransient(e, int.MaxValue))
        {
            foreach (var result in results)
                await WriteAsync([result]);
        }
        // whatever it was: the calls are repeated when their lease has ended, and the next answers may be written
        catch (Exception e)
        {
            WriteFailed(logger, results.Count, results[0].Payment.PaymentId, e.GetBaseException().Message);
            if (results.Count > 1 || TransientErrors.IsTransient(e, int.MaxValue) || !await FailAsync(results[0], e))
                Volatile.Write(ref _notWritten, e);
        }
    }

    /// <summary>Notes why a payment's answer cannot be written, which the worker then need not begin anew for.</summary>
    private async Task<bool> FailAsync(CallResult result, Exception why)
    {
        try
        {
            await calls.WriteAsync([result with { Answer = null, Error = StorableText.Of($"The answer could not be written: {why.GetBaseException().Message}", MaxError) }], CancellationToken.None);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    [LoggerMessage(EventName = "WriteFailed", Level = LogLevel.Warning, Message = "{Count} answers of the provider could not be written, one of payment {PaymentId}, and their calls are repeated: {Reason}")]
    private static partial void WriteFailed(ILogger logger, int count, Guid paymentId, string reason);

    [LoggerMessage(EventName = "CallsFailed", Level = LogLevel.Warning, Message = "{Count} calls to the provider gave no answer and are repeated; one is {State} of payment {PaymentId}, attempt {Attempt}: {Reason}")]
    private static partial void CallsFailed(ILogger logger, int count, PaymentState state, Guid paymentId, int attempt, string reason);
}
