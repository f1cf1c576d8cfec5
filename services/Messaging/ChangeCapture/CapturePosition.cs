using Confluent.Kafka;
using NpgsqlTypes;

namespace Shop.Messaging.ChangeCapture;

/// <summary>
/// How far the log is published: to the end of the last transaction of which, as of all before it, the broker has every record. Only that is
/// confirmed to the database, which keeps what comes behind it.
/// </summary>
internal sealed class CapturePosition
{
    private readonly Queue<CapturedTransaction> _open = new();
    private NpgsqlLogSequenceNumber _published;
    private KafkaException? _failure;

    /// <summary>The position that may be confirmed.</summary>
    /// <param name="received">What the server has sent; all of it counts as published where no transaction is under way.</param>
    /// <exception cref="KafkaException">The broker has refused a record.</exception>
    public NpgsqlLogSequenceNumber Confirmable(NpgsqlLogSequenceNumber received)
    {
        lock (_open)
        {
            if (_failure is not null)
                throw _failure;
            if (_open.Count == 0 && received > _published)
                _published = received;
            return _published;
        }
    }

    /// <summary>Whether the broker has everything.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_open)
                return _failure is null ? _open.Count == 0 : throw _failure;
        }
    }

    /// <summary>A transaction begins.</summary>
    public CapturedTransaction Begin()
    {
        lock (_open)
        {
            var transaction = new CapturedTransaction(this);
            _open.Enqueue(transaction);
            return transaction;
        }
    }

    private void Answered(CapturedTransaction transaction, Error? error)
    {
        lock (_open)
        {
            if (error is { IsError: true })
                _failure ??= new KafkaException(error);
            transaction.Unanswered--;
            while (_open.TryPeek(out var first) && first.Unanswered == 0)
                _published = _open.Dequeue().End;
        }
    }

    /// <summary>Records of a transaction on their way; its end is one of them.</summary>
    internal sealed class CapturedTransaction
    {
        private readonly CapturePosition _position;

        internal CapturedTransaction(CapturePosition position)
        {
            _position = position;
            Delivered = report => _position.Answered(this, report.Error);
        }

        /// <summary>For the producer to tell of a record.</summary>
        public Action<DeliveryReport<byte[], byte[]?>> Delivered { get; }

        internal int Unanswered { get; set; } = 1;

        internal NpgsqlLogSequenceNumber End { get; private set; }

        /// <summary>A record is sent.</summary>
        public void Add()
        {
            lock (_position._open)
                Unanswered++;
        }

        /// <summary>Nothing more comes of it.</summary>
        public void Complete(NpgsqlLogSequenceNumber end)
        {
            End = end;
            _position.Answered(this, null);
        }
    }
}
